"""Bring what an address serves to disk: retries with back-off, ranges to resume, and what went wrong in our words.

urllib3 repeats requests (`Retry-After` is obeyed up to a minute); a body that is cut is resumed where it stopped when
the server vouches for the file (a strong `ETag`, or `Last-Modified`), in the same run or the next one. The agent says
who asks. Proxies and certificates are those of the environment (`HTTPS_PROXY`, `NO_PROXY`, `REQUESTS_CA_BUNDLE`,
`SSL_CERT_FILE`). Times are seconds.
"""

import contextlib
import errno
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Self

import requests
import urllib3
from filelock import FileLock, Timeout
from requests.adapters import HTTPAdapter
from tqdm import tqdm
from urllib3.util import Retry

from qpvgeo import settings
from qpvgeo._version import __version__
from qpvgeo.errors import (
    DiskFullError,
    FetchError,
    ForbiddenError,
    HashMismatchError,
    NotFoundError,
    SourceTimeoutError,
    TruncatedError,
    WrongTypeError,
)
from qpvgeo.language import Note
from qpvgeo.sources import hash_record, robots

__all__ = ["ATTEMPTS", "BACKOFF_S", "Head", "Part", "Received", "agent", "head", "page", "to_disk"]

ATTEMPTS = 4
BACKOFF_S = 1.0
_LONGEST_WAIT_S = 60.0
_CONNECT_S = 10.0
_RETRIED = (429, 500, 502, 503, 504)
_GONE = (404, 410)
_CHUNK = 1 << 16  # what is lost at most where a body is cut
_NOT_THE_FILE = (WrongTypeError, HashMismatchError, NotFoundError, DiskFullError)
_LARGEST_PAGE = 20_000_000
_TURN_S = 0.05
_KEPT_S = 7 * 24 * 3600.0
"""How long the beginning of a file is kept for a later run to resume."""


@dataclass(frozen=True, slots=True)
class Received:
    """What came: its hash, size, and what the server said of it."""

    sha256: str
    size: int
    url: str
    content_type: str
    etag: str | None
    last_modified: str | None


def agent() -> str:
    """Name under which qpvgeo asks: a program that says so, its version, and the project where it has an address."""
    try:
        listed = metadata.metadata("qpvgeo").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:
        listed = []
    about = f"; +{listed[0].partition(',')[2].strip()}" if listed else ""
    return f"Mozilla/5.0 (compatible; qpvgeo/{__version__}{about})"


class _Patience(Retry):
    """Retries that give up where the server wants a longer wait than a minute."""

    def get_retry_after(self, response: Any) -> float | None:  # noqa: ANN401 - as urllib3 calls it
        """Wait that the server asks for; None where it makes no sense."""
        try:
            return super().get_retry_after(response)
        except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
            return None

    def increment(self, *args: Any, **more: Any) -> Self:  # noqa: ANN401 - as urllib3 calls it
        """Count one more try."""
        response = more.get("response")
        wait_s = self.get_retry_after(response) if response is not None else None
        if wait_s is not None and wait_s > _LONGEST_WAIT_S:
            raise urllib3.exceptions.MaxRetryError(None, str(args[1]), None)  # type: ignore[arg-type]
        return super().increment(*args, **more)


def _patience() -> _Patience:
    return _Patience(
        total=ATTEMPTS - 1,
        connect=min(1, ATTEMPTS - 1),  # a host that is not there twice will not be in a second
        other=0,  # a certificate that is not trusted will not be later
        redirect=False,
        backoff_factor=BACKOFF_S,
        backoff_jitter=BACKOFF_S / 2,
        backoff_max=_LONGEST_WAIT_S,
        status_forcelist=_RETRIED,
        allowed_methods={"GET", "HEAD"},
        raise_on_status=False,
    )


def _timeouts(timeout: float) -> tuple[float, float]:
    """Longest wait for a connection, and for the next bytes."""
    return min(_CONNECT_S, timeout), timeout


@contextmanager
def _session() -> Iterator[requests.Session]:
    bundle = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=_patience()))
        session.headers.update(
            {
                "User-Agent": agent(),
                "Accept": "text/html,application/json,application/octet-stream;q=0.9,*/*;q=0.8",
                "Accept-Language": "fr,en;q=0.7",
                "Accept-Encoding": "identity",
            }
        )
        # requests reads its own variable, which comes first, but not that of OpenSSL
        if bundle and not os.environ.get("REQUESTS_CA_BUNDLE"):
            session.verify = bundle
        yield session


def page(url: str, *, timeout: float) -> bytes:
    """Body of a page or of an answer of an interface.

    Raises
    ------
    FetchError
        Its kinds, as for `to_disk`.
    """
    with _told(url, timeout), _session() as session:
        robots.require(url, session)
        with session.get(url, stream=True, timeout=_timeouts(timeout)) as response:
            response.raise_for_status()
            body = response.raw.read(_LARGEST_PAGE, decode_content=True)
            return bytes(body)


@dataclass(frozen=True, slots=True)
class Head:
    """What a server says of an address without sending the file: the status, where it is for good, the version."""

    status: int
    moved_to: str | None
    etag: str | None
    size: int | None = None


def head(url: str, *, timeout: float) -> Head:
    """Ask an address for its head, or for the beginning of its body where the server has no heads.

    Raises
    ------
    FetchError
        There is no connection, or the server stays silent.
    """
    with _told(url, timeout), _session() as session:
        robots.require(url, session)
        response = session.head(url, allow_redirects=True, timeout=_timeouts(timeout))
        if response.status_code in (requests.codes.method_not_allowed, requests.codes.not_implemented):
            response = session.get(url, stream=True, timeout=_timeouts(timeout))
        response.close()
        for_good = [one for one in response.history if one.is_permanent_redirect]
        size = response.headers.get("Content-Length", "")
        return Head(
            response.status_code,
            response.url if for_good else None,
            response.headers.get("ETag"),
            int(size) if size.isdigit() and response.ok else None,
        )


class Part:
    """The beginning of a file, kept in the cache while it comes; held by one thread of one process at a time.

    Parameters
    ----------
    url
        Address that serves it.
    """

    def __init__(self, url: str) -> None:
        self.folder = settings.cache_dir() / ".partial"
        self.name = hashlib.sha256(url.encode()).hexdigest()[:16]
        self.url = url
        self.path, self.about = self.folder / f"{self.name}.part", self.folder / f"{self.name}.about"
        self._lock = FileLock(self.folder / f"{self.name}.lock")

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        while not _taken(self._lock):
            time.sleep(_TURN_S)
        if self.path.is_symlink() or not self.validator:
            self.drop()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        useless = (
            kind is None
            or issubclass(kind, _NOT_THE_FILE)
            or (issubclass(kind, OSError) and not issubclass(kind, FetchError))
        )
        if useless or not self.validator:
            self.drop()
        _give_back(self._lock)

    @property
    def validator(self) -> str:
        """What the server vouches for the file by; empty when nothing is there to resume."""
        return _vouched(self.path, self.about, self.url)

    def begin(self, validator: str) -> None:
        """Note what vouches for the file that begins to come."""
        self.about.write_text(json.dumps({"url": self.url, "validator": validator}), encoding="utf-8")

    def drop(self) -> None:
        """Remove what came."""
        for path in (self.path, self.about):
            path.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what dead runs left: what cannot be resumed, and what nobody resumed for a week."""
        for name in {path.stem for path in self.folder.glob("*.*")} - {self.name}:
            path, about = self.folder / f"{name}.part", self.folder / f"{name}.about"
            lock = FileLock(path.with_suffix(".lock"))
            with contextlib.suppress(OSError):
                if not _taken(lock):
                    continue
                if not (_vouched(path, about) and _is_recent(path)):
                    path.unlink(missing_ok=True)
                    about.unlink(missing_ok=True)
                _give_back(lock)


def _taken(lock: FileLock) -> bool:
    """Whether a lock was free, and is now held; nobody waits for one, so that its file can go with it."""
    with hash_record.locked("parts"), contextlib.suppress(Timeout):
        lock.acquire(timeout=0)
    return lock.is_locked


def _give_back(lock: FileLock) -> None:
    with hash_record.locked("parts"):
        lock.release()
        Path(lock.lock_file).unlink(missing_ok=True)


def _vouched(part: Path, about: Path, url: str | None = None) -> str:
    """What a server vouches for the beginning of a file by, of an address when one is given."""
    try:
        known = json.loads(about.read_text(encoding="utf-8"))
        return str(known["validator"]) if url in (None, known["url"]) and part.is_file() else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _is_recent(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime < _KEPT_S
    except OSError:
        return False


def to_disk(part: Part, *, timeout: float, shown: str | None = None) -> Received:
    """Download what an address serves into a part, resuming where one can.

    Parameters
    ----------
    part
        Where it goes.
    timeout
        Longest silence of the server.
    shown
        Name beside the bar on standard error; None for no bar.

    Raises
    ------
    FetchError
        Its kinds: `ForbiddenError`, `NotFoundError`, `SourceTimeoutError`, `TruncatedError`.
    OSError
        The disk is full, or cannot be written.
    """
    retry: Retry = _patience()
    with _told(part.url, timeout), _session() as session:
        robots.require(part.url, session)
        while True:
            try:
                return _body(session, part, timeout, shown)
            except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError) as error:
                cut = isinstance(error, requests.exceptions.ChunkedEncodingError) or _is_silence(error)
                if not cut or _exhausted(error):
                    raise
                try:
                    retry = retry.increment("GET", part.url, error=urllib3.exceptions.ProtocolError("cut"))
                except urllib3.exceptions.MaxRetryError:
                    raise error from None
                retry.sleep()


def _body(session: requests.Session, part: Part, timeout: float, shown: str | None) -> Received:
    """One request, from where the part ends."""
    validator = part.validator
    start = part.path.stat().st_size if validator else 0
    asked = {"Range": f"bytes={start}-", "If-Range": validator} if start else {}
    with session.get(part.url, stream=True, timeout=_timeouts(timeout), headers=asked) as response:
        if response.status_code == requests.codes.requested_range_not_satisfiable:
            part.drop()
            return _body(session, part, timeout, shown)
        response.raise_for_status()
        resumed = response.status_code == requests.codes.partial_content and _starts_at(response, start)
        if response.status_code == requests.codes.partial_content and not resumed:
            raise FetchError(Note("sources.odd_answer", url=part.url, why="Content-Range"))
        start = start if resumed else 0
        announced = int(response.headers.get("Content-Length") or 0)
        if announced > shutil.disk_usage(part.folder).free:
            raise OSError(errno.ENOSPC, f"{announced:,} bytes announced")
        part.begin(_validator(response))
        with part.path.open("ab" if resumed else "wb") as handle, _bar(shown, start, announced) as count:
            for chunk in response.iter_content(_CHUNK):
                handle.write(chunk)
                count(len(chunk))
            handle.flush()
            os.fsync(handle.fileno())
    with part.path.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    said = response.headers
    return Received(
        sha256,
        part.path.stat().st_size,
        response.url,
        said.get("Content-Type", ""),
        said.get("ETag"),
        said.get("Last-Modified"),
    )


def _starts_at(response: requests.Response, start: int) -> bool:
    return response.headers.get("Content-Range", "").replace(" ", "").startswith(f"bytes{start}-")


def _validator(response: requests.Response) -> str:
    """What `If-Range` takes: a strong tag, else the date; nothing where the body came compressed."""
    if response.headers.get("Content-Encoding", "identity") != "identity":
        return ""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


@contextmanager
def _bar(shown: str | None, start: int, announced: int) -> Iterator[Callable[[int], object]]:
    if shown is None:
        yield lambda _: None
        return
    total = start + announced if announced else None
    with tqdm(total=total, initial=start, desc=shown, unit="B", unit_scale=True, file=sys.stderr) as bar:
        yield bar.update


def _is_silence(error: requests.RequestException) -> bool:
    if isinstance(error, requests.Timeout):
        return True
    reasons = [reason for one in error.args for reason in (one, getattr(one, "reason", None))]
    never_there = urllib3.exceptions.NewConnectionError
    return any(isinstance(one, urllib3.exceptions.TimeoutError) and not isinstance(one, never_there) for one in reasons)


def _exhausted(error: requests.RequestException) -> bool:
    """Whether urllib3 has repeated the request already."""
    return any(isinstance(one, urllib3.exceptions.MaxRetryError) for one in error.args)


@contextmanager
def _told(url: str, timeout: float) -> Iterator[None]:
    """Turn what requests says into an error of qpvgeo."""
    try:
        yield
    except requests.RequestException as error:
        raise _of_web(url, error, timeout) from error
    except urllib3.exceptions.HTTPError as error:
        raise TruncatedError(Note("sources.cut", url=url, count=ATTEMPTS)) from error
    except ValueError as error:
        # a Content-Length that is not a number
        raise FetchError(Note("sources.odd_answer", url=url, why=str(error))) from error


def _of_web(url: str, error: requests.RequestException, timeout: float) -> FetchError:
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return _of_status(url, error.response)
    if isinstance(error, requests.exceptions.SSLError):
        return FetchError(Note("sources.not_trusted", url=url, why=_why(error)))
    if _is_silence(error):
        return SourceTimeoutError(
            Note("sources.silent", url=url, seconds=f"{timeout:g}", count=ATTEMPTS), way_out=Note("sources.later")
        )
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return TruncatedError(Note("sources.cut", url=url, count=ATTEMPTS), way_out=Note("sources.later"))
    if isinstance(error, requests.ConnectionError):
        return FetchError(Note("sources.no_connection", url=url, why=_why(error)), way_out=Note("sources.check_proxy"))
    endless = isinstance(error, requests.TooManyRedirects)
    return FetchError(Note("sources.redirects" if endless else "sources.failed", url=url, why=str(error)))


def _why(error: requests.RequestException) -> str:
    """Innermost reason, without the address that it repeats."""
    reasons = [reason for one in error.args if (reason := getattr(one, "reason", None)) is not None]
    return str(reasons[0] if reasons else error)


def _of_status(url: str, response: requests.Response) -> FetchError:
    said = {"url": url, "status": f"{response.status_code} {response.reason or ''}".strip()}
    if response.status_code == requests.codes.forbidden:
        return ForbiddenError(Note("sources.refuses_programs", **said))
    if response.status_code in _GONE:
        return NotFoundError(Note("sources.gone", **said))
    return FetchError(Note("sources.answers", **said), way_out=Note("sources.later"))
