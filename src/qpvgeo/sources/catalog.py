"""Which official files exist, under which names, and which are available locally.

The table is in `catalog.toml`, read at first use. Every address says how it is known (`evidence`) and when it was last
called (`checked`); several addresses of a file come in order of trust. What was not read (an address, a name) is `None`
or empty, and the `note` says so. Sizes are bytes.
Sources: ANCT on data.gouv.fr, insee.fr and api.insee.fr, IGN Géoplateforme, Etalab, Base Adresse Nationale.
"""

import dataclasses
import difflib
import functools
import os
import re
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from qpvgeo import settings
from qpvgeo.errors import UsageError
from qpvgeo.formats import folder_walk
from qpvgeo.language import Note, term
from qpvgeo.settings import current_language
from qpvgeo.sources import folders, hash_record

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CATALOG", "Address", "Dataset", "datasets", "get", "locate", "of_file", "published_year"]

Kind = Literal[
    "addresses",
    "amenities",
    "benefits",
    "boundaries",
    "communes",
    "correspondence",
    "epci",
    "establishments",
    "grid",
    "health",
    "income",
    "iris",
    "jobs",
    "list",
    "other",
    "passage",
    "perimeters",
    "population",
    "programmes",
    "schools",
    "social housing",
    "urban units",
]
Evidence = Literal["established", "one witness", "inferred", "by resolver", "given"]

CATALOG: Mapping[str, "Dataset"]
"""Every dataset by its key, in the order of the table."""

_COLUMNS = ("vintage", "release", "territory", "kind", "format", "size_bytes", "licence", "url", "page")
_ALSO = ("title", "producer", "evidence", "checked")
ADDRESSES = re.compile(r"adresses-(\w{2,3})\.csv\.gz")
"""Names of the files of addresses, with the department."""

_DEPARTMENT = re.compile(r"0[1-9]|1[0-9]|2[1-9AB]|[3-8][0-9]|9[0-5]|97[1-8]|98[678]")


@dataclasses.dataclass(frozen=True, slots=True)
class Address:
    """Where a file is, and how that is known.

    Parameters
    ----------
    url
        Address of the file; of a page or data set that lists it, for a resolver.
    evidence
        `established` (the producer's page, or several programs that download it), `one witness`, `inferred` from the
        name of another edition, `by resolver`, or `given` by the caller.
    checked
        Day on which it was last called, ISO 8601; None when it never was.
    """

    url: str
    evidence: Evidence = "given"
    checked: str | None = None

    @property
    def resolver(self) -> bool:
        """Whether the file is found among the links of this address."""
        return self.evidence == "by resolver"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One official file.

    Parameters
    ----------
    key
        Stable name, in kebab case.
    title, french
        What it is, in English and in French.
    kind
        Its theme.
    vintage
        The geography of a perimeter file (2015 or 2024), else the year of the data.
    release
        Day or month of the release, ISO 8601; two releases of one vintage differ.
    territory
        `france`, `hexagone` or codes of the territories, separated by commas.
    format
        Form of the data, once unpacked.
    filenames
        Names it is published under, the one that is downloaded first; the others hold the same in another form.
        A name may start with a folder when several files are published under one name.
    members
        Members of the archive that matter.
    archive
        Key of the archive that holds it, for a member.
    addresses
        Where it can be had, the most trusted first; none for a member, which its archive gives.
    page
        Page of the producer where people find the file.
    producer, licence
        Who made it, and on which terms; `unsettled` where pages of the producer differ or none was read.
    sha256, size_bytes
        Of the first of `filenames`, where known.
    note
        What the reader of the table must know.
    """

    key: str
    title: str
    french: str = ""
    kind: Kind
    format: str
    vintage: int | None = None
    release: str | None = None
    territory: str = "france"
    filenames: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    archive: str | None = None
    addresses: tuple[Address, ...] = ()
    page: str | None = None
    producer: str = ""
    licence: str = ""
    sha256: str | None = None
    size_bytes: int | None = None
    note: str = ""

    @property
    def filename(self) -> str | None:
        """The name it is downloaded under; None where it was not read."""
        return self.filenames[0] if self.filenames else None

    @property
    def url(self) -> str | None:
        """The most trusted address of the file itself; None where only a page or an archive is known."""
        return next((address.url for address in self.addresses if not address.resolver), None)

    @property
    def evidence(self) -> str | None:
        """How the first address is known; None without one."""
        return self.addresses[0].evidence if self.addresses else None

    @property
    def checked(self) -> str | None:
        """Day on which the first address was last called, or `never`; None without one."""
        return (self.addresses[0].checked or "never") if self.addresses else None

    def cite(self, lang: str | None = None) -> str:
        """Producer, title, date and licence, as a person cites them.

        Examples
        --------
        >>> get("epci-2024").cite("en")
        'Insee, EPCI and their communes, 2024, Licence Ouverte'
        """
        lang = lang or current_language()
        title = self.french if lang == "fr" and self.french else self.title
        date = self.release or (str(self.vintage) if self.vintage else "")
        dated = "" if date in title else date
        return ", ".join(part for part in (term(self.producer, lang), title, dated, term(self.licence, lang)) if part)


def get(key: str) -> Dataset:
    """Return one dataset of the catalogue.

    Parameters
    ----------
    key
        Its key. A file published by department takes the department after a colon: `ban:59`.

    Returns
    -------
    Dataset
        With the department filled in, where one is given.

    Raises
    ------
    UsageError
        The key is not in the catalogue, or the department is not one.

    Examples
    --------
    >>> get("qpv-2024").vintage
    2024
    >>> get("ban:2A").filename
    'adresses-2A.csv.gz'
    """
    base, _, department = key.partition(":")
    dataset = _table().get(base)
    if dataset is None:
        close = difflib.get_close_matches(base, _table(), n=4, cutoff=0.5)
        way_out = Note("sources.close_keys", keys=close) if close else Note("sources.every_key")
        raise UsageError(Note("sources.unknown_key", key=key), way_out=way_out)
    return _of_department(dataset, department) if department else dataset


def of_file(name: str) -> Dataset | None:
    """The dataset that publishes a file of that name; None where none does, or several years under one name.

    Examples
    --------
    >>> of_file("EPCI_au_01-01-2024.xlsx").key, of_file("adresses-59.csv.gz").key, of_file("mine.csv")
    ('epci-2024', 'ban:59', None)
    >>> of_file("adresses-99.csv.gz") is None
    True
    """
    wanted = name.lower()
    found = [one for one in _table().values() if any(wanted == n.rpartition("/")[2].lower() for n in one.filenames)]
    department = None if found else ADDRESSES.fullmatch(wanted)
    # that of the sample is no department
    if department and _DEPARTMENT.fullmatch(department[1].upper()):
        return get(f"ban:{department[1]}")
    return found[0] if found and len({(one.vintage, one.release) for one in found}) == 1 else None


def datasets(data: str | os.PathLike[str] | None = None) -> "pd.DataFrame":
    """Official files by key, with those on disk under their published name: `qpvgeo.datasets` without a look inside.

    Beside the columns of `qpvgeo.datasets` but `recognised_by`: `title`, `producer`, `evidence` (how the first address
    is known: `established`, `one witness`, `inferred`, `by resolver`; missing for members of archives) and `checked`
    (day on which it was last called, or `never`).

    Examples
    --------
    >>> table = datasets()
    >>> bool(table["cached"].eq(table["path"].notna()).all())
    True
    """
    import pandas as pd  # noqa: PLC0415 - the command line asks for keys without waiting for pandas

    frame = pd.DataFrame(records(data), index=pd.Index(_table(), name="key")).drop(columns="key")
    integers = dict.fromkeys(("vintage", "size_bytes"), "Int64")
    texts = dict.fromkeys((c for c in frame if c not in {*integers, "cached"}), "string")
    return frame.astype(integers | texts)


def records(data: str | os.PathLike[str] | None = None) -> list[dict[str, Any]]:
    """Rows of `datasets` as dictionaries, without pandas.

    Examples
    --------
    >>> records()[0]["kind"]
    'perimeters'
    """
    at_hand = _files_at_hand(data)
    rows = []
    for dataset in _table().values():
        path = _first(dataset, at_hand) if dataset.filenames else locate(dataset)
        row = {column: getattr(dataset, column) for column in ("key", *_COLUMNS)}
        row |= {"filename": dataset.filename, "cached": path is not None, "path": path and str(path)}
        rows.append(row | {column: getattr(dataset, column) for column in _ALSO})
    return rows


ENDINGS = (
    ".csv",
    ".txt",
    ".tsv",
    ".xls",
    ".xlsx",
    ".ods",
    ".dbf",
    ".shp",
    ".geojson",
    ".json",
    ".topojson",
    ".gpkg",
    ".fgb",
    ".kml",
    ".gml",
    ".mif",
    ".tab",
    ".geojsonl",
    ".geojsons",
    ".ndjson",
    ".jsonl",
    ".ndgeojson",
    ".parquet",
    ".geoparquet",
    ".zip",
    ".gz",
)
"""Endings of the files that are looked into, as `file_content.SUFFIXES`, which takes geopandas to be asked."""


def all_known_by_name(data: str | os.PathLike[str] | None = None) -> bool:
    """Whether no file of the folders searched has a name of its own: no look inside could add anything.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> all_known_by_name(qg.sample().path)
    False
    """
    wanted = {name.lower().rpartition("/")[2] for one in _table().values() for name in one.filenames}
    plain = {re.sub(r"\{\w+\}", "*", name) for name in wanted}
    patterns = [name for name in plain if "*" in name]
    names = {name for found in _files_at_hand(data) for name in found if name.endswith(ENDINGS)}
    return not any(not any(fnmatchcase(name, pattern) for pattern in patterns) for name in names - plain)


def locate(dataset: Dataset, data: str | os.PathLike[str] | None = None) -> Path | None:
    """Find a dataset on disk by its published names, in any case, at any depth; by its key where none is published.

    Parameters
    ----------
    dataset
        An entry of the catalogue; `filenames` is looked at, else the folder of its key in the cache.
    data
        A folder to search first, in place of `QPVGEO_DATA`.

    Returns
    -------
    pathlib.Path or None
        The file in the first folder that has one of the names; the order of `filenames` decides within a folder.

    Raises
    ------
    UsageError
        `data` is not a folder.

    Examples
    --------
    >>> locate(Dataset(key="none", title="", kind="list", format="csv", filenames=("nobody-has-this.csv",))) is None
    True
    """
    if dataset.filenames:
        return _first(dataset, _files_at_hand(data))
    folder, known = folder_of(dataset), hash_record.read().get(dataset.key)
    held = [folder / PurePosixPath(known["file"]).name] if known else sorted(folder.glob("*"))
    return next((path for path in held if path.is_file()), None)


def folder_of(dataset: Dataset) -> Path:
    """Folder of a file without a published name, downloaded or taken by hand for its key."""
    return settings.cache_dir() / dataset.key


def published_year(path: Path) -> int | None:
    """Year of a file that is published under one name every year, by the folder that the catalogue keeps it in.

    Examples
    --------
    >>> published_year(Path("mine/2020/donnees_communes.csv"))
    2020
    """
    name = f"{path.parent.name}/{path.name}".lower()
    return next((one.vintage for one in _table().values() if name in map(str.lower, one.filenames)), None)


def _files_at_hand(data: str | os.PathLike[str] | None) -> list[dict[str, list[Path]]]:
    """Files of each folder searched, by lower-case name."""
    searched = []
    for folder in folders.data_dirs(data):
        found: dict[str, list[Path]] = {}
        for path in folder_walk.walk(folder).files:
            found.setdefault(path.name.lower(), []).append(path)
        searched.append(found)
    return searched


def _first(dataset: Dataset, at_hand: list[dict[str, list[Path]]]) -> Path | None:
    for found in at_hand:
        for name in dataset.filenames:
            *above, wanted = re.sub(r"\{\w+\}", "*", name.lower()).split("/")
            matches = [n for n in found if fnmatchcase(n, wanted)] if "*" in wanted else [wanted]
            for path in (path for match in matches for path in found.get(match, ())):
                # it may be gone since
                if [part.lower() for part in path.parts[-1 - len(above) : -1]] == above and path.is_file():
                    return path
    return None


def _of_department(dataset: Dataset, department: str) -> Dataset:
    code = department.upper()
    if not any("{department}" in name for name in dataset.filenames):
        raise UsageError(Note("sources.one_file", key=dataset.key), way_out=Note("sources.ask_for_it", key=dataset.key))
    if not _DEPARTMENT.fullmatch(code):
        raise UsageError(
            Note("sources.not_a_department", code=department), way_out=Note("sources.departments_are", key=dataset.key)
        )
    return dataclasses.replace(
        dataset,
        key=f"{dataset.key}:{code}",
        territory=code,
        filenames=tuple(name.format(department=code) for name in dataset.filenames),
        addresses=tuple(
            dataclasses.replace(address, url=address.url.format(department=code)) for address in dataset.addresses
        ),
    )


@functools.cache
def _table() -> dict[str, Dataset]:
    text = resources.files("qpvgeo.sources").joinpath("catalog.toml").read_text(encoding="utf-8")
    table = {}
    for key, row in tomllib.loads(text).items():
        lists = {name: tuple(row.get(name, ())) for name in ("filenames", "members")}
        addresses = tuple(Address(**address) for address in row.get("addresses", ()))
        table[key] = Dataset(**{**row, **lists, "addresses": addresses, "key": key})
    return table


def __getattr__(name: str) -> Mapping[str, Dataset]:
    """Read the table when `CATALOG` is first asked for, not at import."""
    if name == "CATALOG":
        return MappingProxyType(_table())
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
