"""Which addresses of the catalogue still answer: their heads are asked, one at a time, and no file is downloaded."""

from collections.abc import Iterable
from typing import Literal

import pandas as pd

from qpvgeo import settings
from qpvgeo.errors import FetchError, ForbiddenError, OfflineError
from qpvgeo.language import Note
from qpvgeo.sources import catalog, hash_record, transfer

__all__ = ["State", "address_health"]

State = Literal["answers", "moved", "changed", "refuses programs", "gone", "fails", "no answer"]

_GONE = (404, 410)


def address_health(keys: Iterable[str] | None = None, *, timeout: float = 30.0) -> pd.DataFrame:
    """Ask every address of files for its head.

    Parameters
    ----------
    keys
        Keys of the catalogue; all by default, but those published by department.
    timeout
        Longest silence of a server, in seconds.

    Returns
    -------
    pandas.DataFrame
        A row for each address: `key`, `url`, `evidence`, `checked`, `state` (`answers`, `moved` for good, `changed`
        since it was recorded, `refuses programs`, `gone`, `fails` with another status, `no answer`), `status` (of HTTP,
        missing without an answer), `moved_to` (missing where it is where it was).

    Raises
    ------
    UsageError
        A key is unknown.
    OfflineError
        `QPVGEO_OFFLINE` is set.

    Examples
    --------
    >>> address_health([]).columns.to_list()
    ['key', 'url', 'evidence', 'checked', 'state', 'status', 'moved_to']
    """
    if settings.offline():
        raise OfflineError(Note("sources.offline_check"))
    listed = [catalog.get(key) for key in (catalog.CATALOG if keys is None else keys)]
    recorded = hash_record.read()
    rows = []
    for dataset in listed:
        entry = recorded.get(dataset.key, {})
        for address in dataset.addresses:
            if "{" not in address.url:
                known = {"key": dataset.key, "url": address.url, "evidence": address.evidence}
                known["checked"] = address.checked or "never"
                rows.append(known | _asked(address.url, entry.get("etag") if not address.resolver else None, timeout))
    columns = {"key": "str", "url": "str", "evidence": "str", "checked": "str", "state": "str"}
    frame = pd.DataFrame(rows, columns=[*columns, "status", "moved_to"])
    return frame.astype({**columns, "status": "Int64", "moved_to": "string"})


def _asked(url: str, etag: str | None, timeout: float) -> dict[str, object]:
    """Answer of one address; `etag` is that of the file recorded."""
    try:
        head = transfer.head(url, timeout=timeout)
    except ForbiddenError:
        return {"state": "refuses programs", "status": None, "moved_to": None}
    except FetchError:
        return {"state": "no answer", "status": None, "moved_to": None}
    return {"state": _state(head, etag), "status": head.status, "moved_to": head.moved_to}


def _state(head: transfer.Head, etag: str | None) -> State:
    if head.status in _GONE:
        return "gone"
    if head.status in (401, 403):
        return "refuses programs"
    if head.status >= 400:
        return "fails"
    if etag and head.etag and etag != head.etag:
        return "changed"
    return "moved" if head.moved_to else "answers"
