"""What a site asks of programs in its `robots.txt`, read once in a run.

As RFC 9309 has it: a file that is not there, or that is refused (4xx), forbids nothing. So does one that cannot be had
for now: the answer of the address itself then decides. A site without a connection is an error, as for any address.
"""

import urllib.parse
from urllib.robotparser import RobotFileParser

import requests
import urllib3

from qpvgeo.errors import ForbiddenError
from qpvgeo.language import Note

__all__ = ["NAME", "forget", "require"]

NAME = "qpvgeo"
"""Name that rules for this program bear."""

_LARGEST = 500_000
_SECONDS = (5.0, 10.0)


def require(url: str, session: requests.Session) -> None:
    """Raise for an address that the site closes to programs.

    Raises
    ------
    ForbiddenError
        `robots.txt` closes it, to all programs or to this one.
    requests.RequestException
        There is no connection.
    """
    parts = urllib.parse.urlsplit(url)
    rules = _rules(f"{parts.scheme}://{parts.netloc}/robots.txt", session)
    if not rules.can_fetch(NAME, url):
        raise ForbiddenError(Note("sources.closed_by_robots", url=url, site=parts.netloc))


def forget() -> None:
    """Read every `robots.txt` again."""
    _KNOWN.clear()


_KNOWN: dict[str, RobotFileParser] = {}


def _rules(address: str, session: requests.Session) -> RobotFileParser:
    if address not in _KNOWN:
        rules = RobotFileParser(address)
        rules.parse(_lines(address, session))
        _KNOWN[address] = rules
    return _KNOWN[address]


def _lines(address: str, session: requests.Session) -> list[str]:
    """Lines of the file; none where it is not there."""
    try:
        # once, without the retries of the session
        with (
            requests.Session() as once,
            once.get(
                address, stream=True, timeout=_SECONDS, headers=dict(session.headers), verify=session.verify
            ) as response,
        ):
            kind = response.headers.get("Content-Type", "")
            if response.status_code != requests.codes.ok or "html" in kind:
                return []
            return response.raw.read(_LARGEST, decode_content=True).decode("utf-8", "replace").splitlines()
    except urllib3.exceptions.HTTPError:
        return []
