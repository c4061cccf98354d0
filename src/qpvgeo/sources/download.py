"""Bring an official file to disk, whole and unchanged, or say why not and what to do.

A download is a hash first: the SHA-256 of the catalogue where it is known, else the one recorded at the first
download in `qpvgeo.lock.json` of the cache and enforced ever after. The addresses of a file are tried in order of
trust: a site that refuses programs (403) is tried once, then the next mirror, then the page that lists the file. Bytes
go to a hidden folder of the cache; they are checked, hashed and moved, so a failure leaves nothing half-written.
"""

import contextlib
import dataclasses
import hashlib
import os
import shutil
import sys
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from qpvgeo import settings
from qpvgeo.errors import (
    DiskFullError,
    FetchError,
    ForbiddenError,
    HashMismatchError,
    MissingDataError,
    NotFoundError,
    OfflineError,
    UsageError,
    judged,
)
from qpvgeo.formats import archives, gzip_file
from qpvgeo.language import Note
from qpvgeo.sources import catalog, folders, hash_record, integrity, page_links, transfer
from qpvgeo.sources.by_hand_steps import ByHand
from qpvgeo.sources.catalog import Address, Dataset

__all__ = ["ByHand", "by_hand", "fetch", "fetch_among", "on_disk"]

_TIMEOUT_S = 30.0


@judged
def fetch(
    key_or_url: str,
    *,
    data: str | os.PathLike[str] | None = None,
    update: bool = False,
    timeout: float = _TIMEOUT_S,
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
        No address is known, or an archive does not hold the member; the message says what to download by hand.
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
        raise UsageError(Note("sources.bad_timeout", timeout=str(timeout)), way_out=Note("sources.seconds_above_zero"))
    return _deliver(_Order(_dataset(key_or_url, url), data, update, timeout, progress, set()))


def fetch_among(
    key: str, *, absent: set[str], data: Path | None = None, update: bool = False, url: str | None = None
) -> Path:
    """Like `fetch`, for one of many files: sites in `absent` are not asked, and those that are not there are added."""
    return _deliver(_Order(_dataset(key, url), data, update, _TIMEOUT_S, None, absent))


def by_hand(key: str, data: str | os.PathLike[str] | None = None) -> ByHand:
    """Say where a person finds a file, and where to put it.

    Parameters
    ----------
    key
        A key of the catalogue, or an address.
    data
        Folder to put it in, in place of `QPVGEO_DATA`, else of the cache.

    Returns
    -------
    ByHand
        Of a member, what its archive needs.

    Raises
    ------
    UsageError
        The key is unknown, the address is not http(s), or `data` is not a folder.

    Examples
    --------
    >>> todo = by_hand("qpv-2024-communes")
    >>> todo.link, todo.names[0]
    ('https://www.insee.fr/fr/statistiques/fichier/8186239/TAG_QPV2024_2025_csv.zip', 'TAG_QPV2024_2025_csv.zip')
    """
    return _by_hand(_dataset(key, None), data)


def on_disk(key: str, data: str | os.PathLike[str] | None = None) -> Path | None:
    """The file of a key, or the archive that holds it, where it already is; None where a download is needed."""
    dataset = _dataset(key, None)
    found = catalog.locate(dataset, data)
    return found or (on_disk(dataset.archive, data) if dataset.archive else None)


def _by_hand(dataset: Dataset, data: str | os.PathLike[str] | None) -> ByHand:
    source = catalog.get(dataset.archive) if dataset.archive else dataset
    folder = catalog.folder_of(source)
    if source.filenames:
        places = [*folders.data_dirs(data), settings.cache_dir()]
        folder = places[0] / PurePosixPath(source.filenames[0]).parent
    names = tuple(dict.fromkeys(PurePosixPath(name).name for name in source.filenames))
    return ByHand(dataset.key, source.url, source.page or dataset.page, names, folder)


@dataclasses.dataclass(frozen=True, slots=True)
class _Order:
    dataset: Dataset
    data: str | os.PathLike[str] | None
    update: bool
    timeout: float
    progress: bool | None
    absent: set[str]

    @property
    def by_hand(self) -> Note:
        """Where to find the file with a browser, and where to put it."""
        return _by_hand(self.dataset, self.data).note()

    def target(self, url: str) -> Path:
        """Where what an address serves is kept: under its published name, else in a folder of the key."""
        served = page_links.served_name(url)
        names = self.dataset.filenames
        if not names:
            return settings.cache_dir() / self.dataset.key / served
        same = (name for name in names if PurePosixPath(name).name.lower() == served.lower())
        return settings.cache_dir() / next(same, names[0])


def _dataset(key_or_url: str, url: str | None) -> Dataset:
    if "://" in key_or_url:
        direct = ((one, a.url) for one in catalog.CATALOG.values() for a in one.addresses if not a.resolver)
        dataset = next((one for one, address in direct if address == key_or_url), None) or _unlisted(key_or_url)
    else:
        dataset = catalog.get(key_or_url)
    if any("{department}" in name for name in dataset.filenames):
        raise UsageError(
            Note("sources.by_department", key=dataset.key), way_out=Note("sources.name_department", key=dataset.key)
        )
    if url is None:
        return dataset
    served = _unlisted(url).title
    names = [name for name in dataset.filenames if PurePosixPath(name).name.lower() == served.lower()]
    names += [name for name in dataset.filenames if name not in names] or [served]
    return dataclasses.replace(dataset, addresses=(Address(url),), archive=None, filenames=tuple(names))


def _unlisted(url: str) -> Dataset:
    try:
        parts = urllib.parse.urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if not sound:
        raise UsageError(Note("sources.not_an_address", url=url), way_out=Note("sources.every_key"))
    served = page_links.served_name(url)
    # two addresses may end in the same name, so the file on disk has a part of the hash of its address
    name = f"{hashlib.sha256(url.encode()).hexdigest()[:8]}-{served}"
    form = served.rpartition(".")[2]
    return Dataset(key=url, title=served, kind="other", format=form, filenames=(name,), addresses=(Address(url),))


def _deliver(order: _Order) -> Path:
    dataset = order.dataset
    found = catalog.locate(order.dataset, order.data)
    renewable = dataset.addresses or dataset.archive is not None
    if found is not None and not (order.update and renewable and found.is_relative_to(settings.cache_dir())):
        return _checked(order, found)
    if dataset.archive is not None:
        return _member(order, dataset.archive)
    _refuse_unreachable(order)
    return _from_addresses(order)


def _member(order: _Order, key: str) -> Path:
    """Unpack a member, with the files that share its name: a shapefile is four of them."""
    archive = catalog.get(key)
    packed = tuple(name for name in archive.filenames if name.endswith((".zip", ".7z", ".gz")))
    path = _deliver(dataclasses.replace(order, dataset=dataclasses.replace(archive, filenames=packed)))
    if path.suffix == ".gz":
        target = settings.cache_dir() / order.dataset.filenames[0]
        with _disk_watched(order):
            gzip_file.unpack(path, target)
        return target
    names = [PurePosixPath(name).name.lower() for name in order.dataset.filenames]
    stems = {PurePosixPath(name).stem for name in names}
    with archives.opened(path) as opened:
        wanted = [name for name in opened.members if PurePosixPath(name).stem.lower() in stems]
        files = opened.extract(_unpacked(packed[0]), wanted) if wanted else []
    # in the order of the names: of several forms of a member, the preferred one
    for file in sorted((f for f in files if f.name.lower() in names), key=lambda f: names.index(f.name.lower())):
        return _checked(order, file)
    raise MissingDataError(
        Note("sources.no_member", path=str(path), names=order.dataset.filenames), way_out=order.by_hand
    )


def _unpacked(name: str) -> Path:
    """Folder of what was unpacked from an archive; the folder of its name comes last, as `2019` in published names."""
    parts = PurePosixPath(name)
    return settings.cache_dir() / "unpacked" / parts.stem / parts.parent


def _refuse_unreachable(order: _Order) -> None:
    key = order.dataset.key
    if settings.offline():
        raise OfflineError(Note("sources.offline", key=key), way_out=order.by_hand)
    if not order.dataset.addresses:
        raise MissingDataError(
            Note("sources.no_address", key=key), way_out=Note("sources.or_give_address", first=order.by_hand, key=key)
        )


def _from_addresses(order: _Order) -> Path:
    """Try the addresses in order of trust; a site that refuses programs is not asked again."""
    failures: list[FetchError] = []
    refused: set[str] = set()
    tried: set[str] = set()
    for address in _in_order(order):
        site = _site(address.url)
        if site in refused:
            continue
        with _turn_of(site):
            if site in order.absent:
                if all(failure.key != "sources.site_absent" for failure in failures):
                    told = Note("sources.site_absent", site=site)
                    failures.append(FetchError(told, way_out=Note("sources.check_proxy")))
                continue
            try:
                if (path := _from_address(order, address, tried)) is not None:
                    return path
            except (HashMismatchError, DiskFullError):
                raise
            except FetchError as error:
                failures.append(error)
                refused |= {site} if isinstance(error, ForbiddenError) else set()
                order.absent.update({site} if error.key == "sources.no_connection" else set())
    raise _together(order, failures)


def _from_address(order: _Order, address: Address, tried: set[str]) -> Path | None:
    """The file from one address, or from those that a page lists; None where all of these were tried."""
    for url in _links(order, address) if address.resolver else [address.url]:
        if url not in tried:
            tried.add(url)
            return _attempt(order, url)
    return None


_TURNS: dict[str, threading.Lock] = {}


def _turn_of(site: str) -> threading.Lock:
    """Lock that gives one file at a time of a site to the threads of this process."""
    return _TURNS.setdefault(site, threading.Lock())


def _in_order(order: _Order) -> list[Address]:
    """Addresses of the catalogue, the one that served last time before the pages; an update asks the pages first."""
    direct = [address for address in order.dataset.addresses if not address.resolver]
    pages = [address for address in order.dataset.addresses if address.resolver]
    last = str(hash_record.read().get(order.dataset.key, {}).get("url", ""))
    sites = {_site(address.url) for address in order.dataset.addresses} | {"static.data.gouv.fr"}
    known = [Address(last)] if pages and _site(last) in sites and last not in {a.url for a in direct} else []
    return [*pages, *direct, *known] if order.update and not direct else [*direct, *known, *pages]


def _site(url: str) -> str:
    try:
        return urllib.parse.urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _links(order: _Order, address: Address) -> list[str]:
    """Addresses of the file that a page lists."""
    body = transfer.page(address.url, timeout=order.timeout)
    found = page_links.links(body, address.url, order.dataset.filenames)
    if not found:
        raise FetchError(Note("sources.not_listed", page=address.url, names=order.dataset.filenames or ["?"]))
    return found


def _together(order: _Order, failures: list[FetchError]) -> FetchError:
    """One error of all that failed, of their kind where it is one."""
    kinds = {type(failure) for failure in failures}
    kind = type(failures[0]) if len(kinds) == 1 else FetchError
    ways = [failure.way_out for failure in failures if failure.way_out]
    if NotFoundError in kinds and len(failures) == 1:
        ways = [Note("sources.if_moved", key=order.dataset.key)]
    way_out = Note("sources.and_then", first=ways[0], then=order.by_hand) if ways else order.by_hand
    if len(failures) == 1:
        made = kind(failures[0].message, problems=failures[0].problems, way_out=way_out)
        made.__cause__ = failures[0].__cause__
        return made
    message = Note("sources.none_served", key=order.dataset.key, count=len(failures))
    return kind(message, problems=[failure.message for failure in failures], way_out=way_out)


def _attempt(order: _Order, url: str) -> Path:
    target = order.target(url)
    known = _known(order.dataset, target.name)
    shown = sys.stderr is not None and sys.stderr.isatty() if order.progress is None else order.progress
    with _disk_watched(order), transfer.Part(url) as part:
        part.sweep()
        if not order.update and (found := catalog.locate(order.dataset, order.data)) is not None:
            return _checked(order, found)  # another process brought it while this one waited
        got = transfer.to_disk(part, timeout=order.timeout, shown=target.name if shown else None)
        integrity.require(part.path, target.suffix, got.content_type, url=url)
        if known is not None and got.sha256 != known[0] and not order.update:
            raise _mismatch(order, Note("sources.serves_another", url=url), known, got.sha256)
        said = {"url": got.url, "etag": got.etag, "last_modified": got.last_modified}
        entry = hash_record.entry(target.name, got.sha256, got.size, **said)
        hash_record.record(order.dataset.key, entry, (part.path, target))
    # what was unpacked from the former archive is of another release
    shutil.rmtree(_unpacked(target.relative_to(settings.cache_dir()).as_posix()), ignore_errors=True)
    return target


def _checked(order: _Order, path: Path) -> Path:
    """Compare a file on disk with the hash known for it, or record it when that is asked for."""
    known = _known(order.dataset, path.name)
    if known is None and not order.update:
        return path
    with path.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    if order.update:
        with _disk_watched(order):
            hash_record.record(order.dataset.key, hash_record.entry(path.name, sha256, path.stat().st_size))
    elif known is not None and sha256 != known[0] and not hash_record.settled(order.dataset.key, sha256):
        raise _mismatch(order, Note("sources.not_the_file", path=str(path), key=order.dataset.key), known, sha256)
    return path


def _known(dataset: Dataset, name: str) -> tuple[str, Note] | None:
    """SHA-256 known for a file of this name, and who says so; the record first, for it says what was accepted."""
    entry = hash_record.read().get(dataset.key, {})
    if str(entry.get("file", "")).lower() == name.lower():
        return entry["sha256"], Note("sources.recorded", day=entry["fetched_on"], path=str(hash_record.path()))
    if dataset.sha256 is not None and PurePosixPath(dataset.filenames[0]).name.lower() == name.lower():
        return dataset.sha256, Note("sources.of_catalogue")
    return None


def _mismatch(order: _Order, message: Note, known: tuple[str, Note], sha256: str) -> HashMismatchError:
    problems = [Note("sources.hash_expected", sha256=known[0], who=known[1]), Note("sources.hash_found", sha256=sha256)]
    return HashMismatchError(message, problems=problems, way_out=Note("sources.accept_it", key=order.dataset.key))


@contextlib.contextmanager
def _disk_watched(order: _Order) -> Iterator[None]:
    try:
        yield
    except FetchError:
        raise
    except OSError as error:
        raise _disk_error(order, error) from error


def _disk_error(order: _Order, error: OSError) -> FetchError:
    folder = str(settings.cache_dir())
    why = error.strerror or str(error)
    if error.errno in DiskFullError.codes:
        way_out = Note("sources.make_room", then=order.by_hand)
        return DiskFullError(Note("sources.no_room", folder=folder, why=why), way_out=way_out)
    if error.errno is None:
        # requests says so of a bundle that does not exist
        return FetchError(Note("sources.no_bundle", why=why), way_out=Note("sources.correct_bundle"))
    return FetchError(
        Note("sources.cannot_write", folder=folder, why=why), way_out=Note("sources.another_cache", then=order.by_hand)
    )
