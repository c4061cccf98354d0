"""Bring an official file to disk, whole and unchanged, or say why not and what to do.

A download is a hash first: the SHA-256 of the catalogue where it is known, else the one recorded at the first
download in `qpvgeo.lock.json` of the cache and enforced ever after. Bytes go to a temporary file beside the
target; they are checked, hashed and renamed, so a failure of any kind leaves nothing half-written. pooch makes
the requests; proxies and certificates are those of the environment (`HTTPS_PROXY`, `NO_PROXY`,
`REQUESTS_CA_BUNDLE`, `SSL_CERT_FILE`). Times are seconds.
"""

import contextlib
import dataclasses
import datetime as dt
import email.utils
import errno
import hashlib
import json
import os
import random
import re
import shutil
import sys
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pooch
import requests
import urllib3
from tqdm import tqdm

from qpvgeo import settings
from qpvgeo._version import __version__
from qpvgeo.errors import (
    DataError,
    DiskFullError,
    FetchError,
    ForbiddenError,
    HashMismatchError,
    MissingDataError,
    NotFoundError,
    OfflineError,
    SourceTimeoutError,
    TruncatedError,
    UsageError,
)
from qpvgeo.formats import archives
from qpvgeo.sources import catalog, folders, integrity
from qpvgeo.sources.catalog import Dataset

__all__ = ["fetch"]

_ATTEMPTS = 4
_BACKOFF_S = 1.0
_LONGEST_WAIT_S = 60.0
_RETRIED = {429, 500, 502, 503, 504}
_GONE = {404, 410}
_LOCK_NAME = "qpvgeo.lock.json"
_LOCK_GUARD = threading.Lock()


def fetch(
    key_or_url: str,
    *,
    data: str | os.PathLike[str] | None = None,
    update: bool = False,
    timeout: float = 30.0,
    progress: bool | None = None,
    url: str | None = None,
) -> Path:
    """Return the path of an official file, downloaded if it is not on disk.

    Parameters
    ----------
    key_or_url
        A key of the catalogue (`qpv-2024`, `ban:59`), or an address.
    data
        A folder to search first, in place of `QPVGEO_DATA`.
    update
        Accept a changed file: what is in the cache is downloaded again, what stands in a folder of yours is taken
        as it is; either way its hash is the one enforced from now on.
    timeout
        Longest silence of the server.
    progress
        Show a bar on stderr; by default, when stderr is a terminal.
    url
        Another address for the dataset, when it is not on disk: a mirror, or the new one of a file that has moved.

    Returns
    -------
    pathlib.Path
        A file on disk under one of its published names, else the download in the cache. Of a member of an archive,
        the file unpacked from it.

    Raises
    ------
    UsageError
        The key is unknown, the address is not http(s), or a department is missing.
    MissingDataError
        No address is known; the message says what to download by hand.
    FetchError
        Its kinds: `OfflineError`, `ForbiddenError`, `NotFoundError`, `SourceTimeoutError`, `TruncatedError`,
        `WrongTypeError`, `HashMismatchError`, `DiskFullError`.
    ArchiveError
        The archive that holds a member is damaged or hostile.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "pop_QPV24.csv").write_text("codeQPV;popMuniQPV", encoding="utf-8")
    ...     fetch("qpv-2024-population", data=folder).name
    'pop_QPV24.csv'
    """
    if not timeout > 0:
        raise UsageError(f"timeout is {timeout}.", way_out="Give a number of seconds above 0.")
    order = _Order(_dataset(key_or_url, url), data, update, timeout, progress)
    return _deliver(order)


@dataclasses.dataclass(frozen=True, slots=True)
class _Order:
    dataset: Dataset
    data: str | os.PathLike[str] | None
    update: bool
    timeout: float
    progress: bool | None

    @property
    def target(self) -> Path:
        return settings.cache_dir() / self.dataset.filenames[0]

    @property
    def by_hand(self) -> str:
        """Where to find the file with a browser, and where to put it."""
        page = self.dataset.page or self.dataset.url
        source = f"from {page}" if page else "from the producer"
        if not self.dataset.filenames:
            return f"Download it by hand {source} and give its path where it is asked for. {self.dataset.note}".strip()
        places = [*folders.data_dirs(self.data), settings.cache_dir()]
        folder = (places[0] / self.dataset.filenames[0]).parent
        names = " or ".join(PurePosixPath(name).name for name in self.dataset.filenames)
        return f"Download it by hand {source} and put it, named {names}, in {folder}."


def _dataset(key_or_url: str, url: str | None) -> Dataset:
    if "://" in key_or_url:
        listed = (entry for entry in catalog.CATALOG.values() if entry.url == key_or_url)
        dataset = next(listed, None) or _unlisted(key_or_url)
    else:
        dataset = catalog.get(key_or_url)
    if any("{department}" in name for name in dataset.filenames):
        raise UsageError(f"{dataset.key} is published by department.", way_out=f"Name one: '{dataset.key}:59'.")
    if url is None:
        return dataset
    served = _unlisted(url).title
    names = [name for name in dataset.filenames if PurePosixPath(name).name.lower() == served.lower()]
    names += [name for name in dataset.filenames if name not in names] or [served]
    return dataclasses.replace(dataset, url=url, archive=None, filenames=tuple(names))


def _unlisted(url: str) -> Dataset:
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(f"{url!r} is not an http(s) address.", way_out="qpvgeo.datasets() lists the known keys.")
    served = re.sub(r"[^\w.-]", "_", urllib.parse.unquote(parts.path).rpartition("/")[2]).lstrip(".") or "download"
    # two addresses may end in the same name, so the file on disk carries a part of the address's hash
    name = f"{hashlib.sha256(url.encode()).hexdigest()[:8]}-{served}"
    return Dataset(key=url, title=served, kind="other", format=served.rpartition(".")[2], filenames=(name,), url=url)


def _deliver(order: _Order) -> Path:
    dataset = order.dataset
    found = catalog.locate(dataset, order.data)
    renewable = dataset.url is not None or dataset.archive is not None
    if found is not None and not (order.update and renewable and found.is_relative_to(settings.cache_dir())):
        return _checked(order, found)
    if dataset.archive is not None:
        return _member(order, dataset.archive)
    _refuse_unreachable(order)
    return _download(order)


def _member(order: _Order, key: str) -> Path:
    """Unpack a member, with the files that share its name: a shapefile is four of them."""
    archive = catalog.get(key)
    packed = tuple(name for name in archive.filenames if name.endswith((".zip", ".7z")))
    path = _deliver(dataclasses.replace(order, dataset=dataclasses.replace(archive, filenames=packed)))
    stems = {PurePosixPath(name).stem.lower() for name in order.dataset.filenames}
    wanted = [name for name in archives.members(path) if PurePosixPath(name).stem.lower() in stems]
    files = archives.extract(path, _unpacked(path.name), wanted) if wanted else []
    names = [name.lower() for name in order.dataset.filenames]
    for file in files:
        if file.name.lower() in names:
            return _checked(order, file)
    raise MissingDataError(f"{path} does not hold {' or '.join(order.dataset.filenames)}.", way_out=order.by_hand)


def _unpacked(name: str) -> Path:
    return settings.cache_dir() / "unpacked" / PurePosixPath(name).stem


def _refuse_unreachable(order: _Order) -> None:
    key = order.dataset.key
    if settings.offline():
        raise OfflineError(f"{key} is not on disk, and QPVGEO_OFFLINE forbids downloads.", way_out=order.by_hand)
    if order.dataset.by_hand and order.dataset.url is None:
        message = f"{key} is not on disk, and the site of {order.dataset.producer} refuses programs (403)."
        raise ForbiddenError(message, way_out=order.by_hand)
    if order.dataset.url is None:
        raise MissingDataError(
            f"{key} is not on disk, and no lasting address of it is known.",
            way_out=f"{order.by_hand}\nOr give its address: qpvgeo.fetch({key!r}, url=...).",
        )


def _checked(order: _Order, path: Path) -> Path:
    """Compare a file on disk with the hash known for it, or record it when that is asked for."""
    known = _known(order.dataset, path.name)
    if known is None and not order.update:
        return path
    sha256 = pooch.file_hash(str(path), alg="sha256")
    if order.update:
        with _disk_watched(order):
            _record(order.dataset.key, _entry(path.name, sha256, path.stat().st_size))
    elif known is not None and sha256 != known[0]:
        raise _mismatch(order, f"{path} is not the file known as {order.dataset.key}.", known, sha256)
    return path


def _known(dataset: Dataset, name: str) -> tuple[str, str] | None:
    """SHA-256 known for a file of this name, and who says so; the lock first, for it says what was accepted."""
    entry = _lock().get(dataset.key, {})
    if str(entry.get("file", "")).lower() == name.lower():
        return entry["sha256"], f"recorded on {entry['fetched_on']} in {settings.cache_dir() / _LOCK_NAME}"
    if dataset.sha256 is not None and PurePosixPath(dataset.filenames[0]).name.lower() == name.lower():
        return dataset.sha256, "of the catalogue"
    return None


def _mismatch(order: _Order, message: str, known: tuple[str, str], sha256: str) -> HashMismatchError:
    key = order.dataset.key
    return HashMismatchError(
        message,
        problems=[f"SHA-256 expected {known[0]}, {known[1]}", f"SHA-256 found    {sha256}"],
        way_out=f"If it is a new release that you want, accept it: qpvgeo.fetch({key!r}, update=True), or "
        f"`qpvgeo fetch --update {key}`. Else put the file you had back in its place.",
    )


def _lock() -> dict[str, dict[str, Any]]:
    path = settings.cache_dir() / _LOCK_NAME
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except ValueError:
        entries = None
    needed = {"file", "sha256", "fetched_on"}
    if not isinstance(entries, dict) or not all(isinstance(e, dict) and needed <= e.keys() for e in entries.values()):
        raise DataError(
            f"{path} is not a lock file of qpvgeo.",
            way_out="Restore it, or remove it: hashes are then recorded anew at the next downloads.",
        )
    return dict(entries)


def _entry(name: str, sha256: str, size: int, response: requests.Response | None = None) -> dict[str, Any]:
    entry = {"file": name, "sha256": sha256, "size_bytes": size, "fetched_on": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"}
    if response is not None:
        said = {"url": response.url, "etag": response.headers.get("ETag")}
        said["last_modified"] = response.headers.get("Last-Modified")
        entry |= {name: value for name, value in said.items() if value is not None}
    return entry


def _record(key: str, entry: dict[str, Any], move: tuple[Path, Path] | None = None) -> None:
    """Write the lock, and move the file it speaks of into place: both or neither, but for the last rename."""
    with _LOCK_GUARD, _part(settings.cache_dir() / _LOCK_NAME) as part:
        entries = dict(sorted((_lock() | {key: entry}).items()))
        part.write_text(json.dumps(entries, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        if move is not None:
            move[0].replace(move[1])
        part.replace(settings.cache_dir() / _LOCK_NAME)


@contextlib.contextmanager
def _part(target: Path) -> Iterator[Path]:
    """A temporary name beside the target, gone whatever happens."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield part
    finally:
        part.unlink(missing_ok=True)


def _download(order: _Order) -> Path:
    attempt = 1
    while True:
        try:
            return _attempt(order)
        except _TransientError as failure:
            jitter = 0.5 + random.random() / 2  # noqa: S311 - it spreads the callers, it keeps no secret
            wait_s = _BACKOFF_S * 2 ** (attempt - 1) * jitter if failure.wait_s is None else failure.wait_s
            if attempt == _ATTEMPTS or wait_s > _LONGEST_WAIT_S:
                raise failure.error from failure.__cause__
        time.sleep(wait_s)
        attempt += 1


def _attempt(order: _Order) -> Path:
    target = order.target
    known = _known(order.dataset, target.name)
    with _disk_watched(order), _part(target) as part:
        with part.open("xb") as handle:
            sink = _Sink(handle, order)
            _get(order, sink)
            handle.flush()
            os.fsync(handle.fileno())
        announced = sink.response.headers.get("Content-Type", "") if sink.response is not None else ""
        integrity.require(part, order.target.suffix, announced, url=str(order.dataset.url), way_out=order.by_hand)
        sha256 = sink.digest.hexdigest()
        if known is not None and sha256 != known[0] and not order.update:
            raise _mismatch(order, f"{order.dataset.url} now serves another file; it was not kept.", known, sha256)
        _record(order.dataset.key, _entry(target.name, sha256, sink.received, sink.response), (part, target))
    # what was unpacked from the former archive is of another release
    shutil.rmtree(_unpacked(target.name), ignore_errors=True)
    return target


class _TransientError(Exception):
    """A failure that another attempt may cure."""

    def __init__(self, error: FetchError, wait_s: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait_s = wait_s


class _Sink:
    """Where a body is written: hashed, counted and shown as it comes."""

    def __init__(self, handle: IO[bytes], order: _Order) -> None:
        self.handle, self.order = handle, order
        self.digest, self.received = hashlib.sha256(), 0
        self.response: requests.Response | None = None
        self.bar: tqdm[Any] | None = None

    def opened(self, response: requests.Response, **_: object) -> None:
        """See the headers before the body comes; requests calls it for each answer."""
        self.response = response
        announced = int(response.headers.get("Content-Length") or 0)
        if announced > shutil.disk_usage(self.order.target.parent).free:
            raise OSError(errno.ENOSPC, f"{announced:,} bytes announced")
        shown = sys.stderr is not None and sys.stderr.isatty() if self.order.progress is None else self.order.progress
        if shown and response.ok and not response.is_redirect:
            self.bar = tqdm(total=announced or None, desc=self.order.target.name, unit="B", unit_scale=True)

    def write(self, chunk: bytes) -> None:
        self.handle.write(chunk)
        self.digest.update(chunk)
        self.received += len(chunk)
        if self.bar is not None:
            self.bar.update(len(chunk))

    def flush(self) -> None:
        """Do nothing: pooch asks after every chunk, once at the end is enough."""

    def close(self) -> None:
        for thing in (self.bar, self.response):
            if thing is not None:
                thing.close()


def _get(order: _Order, sink: _Sink) -> None:
    bundle = os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR")
    downloader = pooch.HTTPDownloader(
        chunk_size=1 << 18,
        timeout=order.timeout,
        headers={"User-Agent": f"qpvgeo/{__version__}", "Accept-Encoding": "identity"},
        hooks={"response": sink.opened},
        # requests reads its own variable, which comes first, but not that of OpenSSL
        verify=None if os.environ.get("REQUESTS_CA_BUNDLE") or not bundle else bundle,
    )
    try:
        downloader(order.dataset.url, sink, None)
    except requests.RequestException as error:
        raise _web_error(order, error) from error
    except ValueError as error:
        # a Content-Length that is no number
        raise FetchError(f"{order.dataset.url}: the answer makes no sense ({error}).", way_out=order.by_hand) from error
    finally:
        sink.close()


def _web_error(order: _Order, error: requests.RequestException) -> Exception:
    url = order.dataset.url
    if isinstance(error, requests.HTTPError):
        return _status_error(order, error)
    if isinstance(error, requests.exceptions.SSLError):
        way_out = "Behind a proxy, name its certificates in REQUESTS_CA_BUNDLE or SSL_CERT_FILE. " + order.by_hand
        return FetchError(f"{url}: the certificate of the server is not trusted ({error}).", way_out=way_out)
    if isinstance(error, requests.Timeout) or any(isinstance(a, urllib3.exceptions.TimeoutError) for a in error.args):
        message = f"{url}: the server was silent for more than {order.timeout:g} s, {_ATTEMPTS} times."
        return _TransientError(SourceTimeoutError(message, way_out=f"Try later or raise timeout. {order.by_hand}"))
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        message = f"{url}: the body ended too early, {_ATTEMPTS} times ({error})."
        return _TransientError(TruncatedError(message, way_out=f"Try later. {order.by_hand}"))
    if isinstance(error, requests.ConnectionError):
        way_out = f"Check the network and the proxy (HTTPS_PROXY, NO_PROXY). {order.by_hand}"
        return _TransientError(FetchError(f"{url}: no connection ({error}).", way_out=way_out))
    return FetchError(f"{url}: the download failed ({error}).", way_out=order.by_hand)


def _status_error(order: _Order, error: requests.HTTPError) -> Exception:
    url, status = order.dataset.url, error.response.status_code
    said = f"{url} answers {status} {error.response.reason}"
    if status == requests.codes.forbidden:
        return ForbiddenError(f"{said}: it refuses programs.", way_out=order.by_hand)
    if status in _GONE:
        moved = f"If it has moved, give its new address: qpvgeo.fetch({order.dataset.key!r}, url=...)."
        return NotFoundError(f"{said}: the file is no longer there.", way_out=f"{moved} {order.by_hand}")
    final = FetchError(f"{said}.", way_out=f"Try later. {order.by_hand}")
    if status in _RETRIED:
        return _TransientError(final, _retry_after_s(error.response.headers.get("Retry-After")))
    return final


def _retry_after_s(value: str | None) -> float | None:
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        when = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when - dt.datetime.now(when.tzinfo)).total_seconds())


@contextlib.contextmanager
def _disk_watched(order: _Order) -> Iterator[None]:
    try:
        yield
    except FetchError:
        raise
    except OSError as error:
        raise _disk_error(order, error) from error


def _disk_error(order: _Order, error: OSError) -> FetchError:
    folder = order.target.parent
    elsewhere = f"Name another folder in QPVGEO_CACHE. {order.by_hand}"
    if error.errno in DiskFullError.codes:
        way_out = f"Free some room; nothing was left behind. {elsewhere}"
        return DiskFullError(f"There is no room left in {folder} ({error.strerror}).", way_out=way_out)
    if error.errno is None:
        # requests says so of a bundle that does not exist
        return FetchError(f"{error}.", way_out="Correct REQUESTS_CA_BUNDLE or SSL_CERT_FILE.")
    return FetchError(f"{folder} cannot be written ({error.strerror}).", way_out=elsewhere)
