"""What the figures are computed from: the files available, read once, and the facts where a file is missing."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import pandas as pd

from qpvgeo import facts
from qpvgeo.at_hand import files
from qpvgeo.errors import DataError, MissingDataError, QpvgeoError, UsageError
from qpvgeo.frames import forms, provenance
from qpvgeo.geographies import crosswalk
from qpvgeo.indicators import join_communes, summary
from qpvgeo.language import Note
from qpvgeo.quality import check
from qpvgeo.read import read_communes, read_population, read_qpv
from qpvgeo.sources import recognise

__all__ = ["KEYS", "Material", "needs"]

KEYS = {
    ("perimeters", 2015, None): "qpv-2015",
    ("perimeters", 2024, None): "qpv-2024-2025-02",
    ("population", 2015, None): "qpv-2015-population-2013",
    ("population", 2015, 2013): "qpv-2015-population-2013",
    ("population", 2015, 2018): "qpv-2015-population",
    ("population", 2024, None): "qpv-2024-population",
    ("population", 2024, 2020): "qpv-2024-population",
    ("communes", None, None): "communes-outlines-2025-100m",
    ("communes_population", None, 2019): "communes-population-2019",
    ("communes_population", None, 2020): "communes-population-2020",
    ("communes_population", None, 2021): "communes-population-2021",
    ("epci", None, None): "epci-2024",
}
"""Keys of the catalogue for what a figure can miss: kind of file, geography, year of the people."""


def needs(kind: str, vintage: int | None = None, year: int | None = None) -> MissingDataError:
    """Error that says which file a figure needs, and where to get it."""
    what = Note(
        f"published.file_{kind}{'_any' if kind == 'population' and not year else ''}", vintage=vintage, year=year
    )
    key = KEYS.get((kind, vintage, year))
    return MissingDataError(
        Note("published.needs", what=what, key=key) if key else Note("published.needs_file", what=what)
    )


class Material:
    """Files of one or several folders, read once, when they are first asked for.

    Parameters
    ----------
    data
        A folder, several, or None for the usual places (`QPVGEO_DATA`, `data/raw` of a checkout, the cache).
    """

    def __init__(self, data: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None) -> None:
        several = isinstance(data, Sequence) and not isinstance(data, str)
        self.folders: list[Any] = list(data) if several else [data]  # type: ignore[arg-type]
        self._kept: dict[Any, Any] = {}
        self.used: dict[str, dict[str, Any]] = {}
        """Records of the files read, by their hash."""

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        """What was made before, or the reason why it could not be."""
        if key not in self._kept:
            try:
                self._kept[key] = make()
            except QpvgeoError as error:
                self._kept[key] = error
        found = self._kept[key]
        if isinstance(found, QpvgeoError):
            raise found
        if isinstance(found, pd.DataFrame):
            for record in provenance.provenance(found).get("files", []):
                self.used[record["sha256"]] = record
        return found

    def _found(self, kind: Any, vintage: int | None = None) -> list[Path]:  # noqa: ANN401 - a kind of file
        """Files of a kind in the folders, in order; none where there is none."""
        paths: list[Path] = []
        for folder in self.folders:
            try:
                paths += recognise.find(kind, vintage, folder)
            except MissingDataError:
                continue
        return list(dict.fromkeys(paths))

    def perimeters(self, vintage: int | None) -> gpd.GeoDataFrame:
        """Perimeters of a geography, of the newest release available."""
        return self._once(("perimeters", vintage), partial(self._perimeters, _vintage(vintage)))

    def findings(self, vintage: int | None) -> pd.DataFrame:
        """What `check` finds in the perimeters of a geography as they were published, before any repair."""
        return self._once(("findings", vintage), lambda: check(self._perimeters(_vintage(vintage), repair=False)))

    def _perimeters(self, vintage: int, *, repair: bool = True) -> gpd.GeoDataFrame:
        for folder in self.folders:
            try:
                paths = recognise.find("perimeters", vintage, folder)
            except MissingDataError:
                continue
            try:
                return read_qpv(paths, vintage=vintage, repair=repair)
            except UsageError as error:
                if error.key != "read.several_releases" or not isinstance(error.message, Note):
                    raise
                # the populations refer to the release before Mayotte became whole communes
                return read_qpv(
                    paths, vintage=vintage, release=next(iter(error.message.values["releases"])), repair=repair
                )
        raise needs("perimeters", vintage)

    def people(self, vintage: int | None, year: int | None) -> pd.DataFrame:
        """Populations of a geography in a year of reference; the year of the table where none is named."""
        return self._once(("people", vintage, year), partial(self._people, _vintage(vintage), year))

    def _people(self, vintage: int, year: int | None) -> pd.DataFrame:
        for path in self._found("population", vintage):
            try:
                table = read_population(path)
            except DataError:
                try:
                    table = read_population(path, year=year)
                except DataError:
                    continue
            if year is None or forms.reference_year(table) == year:
                return table
        raise needs("population", vintage, year)

    def table(self, vintage: int | None, year: int | None = None) -> pd.DataFrame:
        """Figures of the departments by the code of the QPV; without people where no year is named."""
        return self._once(("table", vintage, year), partial(self._table, _vintage(vintage), year))

    def _table(self, vintage: int, year: int | None) -> pd.DataFrame:
        people = self.people(vintage, year) if year is not None else None
        try:
            qpv: pd.DataFrame = self.perimeters(vintage)
        except MissingDataError:
            qpv = people if people is not None else self.people(vintage, None)
        return summary(qpv, people, by="department")

    def codes(self, vintage: int | None) -> pd.Index:
        """Codes of the QPV of a geography, by the perimeters, else by a table of populations."""
        try:
            return self.perimeters(vintage).index
        except MissingDataError:
            return self.people(vintage, None).index

    def communes(self, year: int | None = None) -> pd.DataFrame:
        """Communes with outlines where they are available, and the people of a year of reference."""
        return self._once(("communes", year), partial(self._communes, year))

    def _communes(self, year: int | None) -> pd.DataFrame:
        if year is not None and year not in self._commune_years():
            return self.communes()
        for folder in self.folders:
            with suppress(MissingDataError):
                return files.communes(folder, year)
        raise needs("communes")

    def _commune_years(self) -> set[int | None]:
        """Years of reference of the tables of communes available."""

        def years() -> set[int | None]:
            paths = self._found("communes population")
            return {forms.reference_year(read_population(path, level="commune")) for path in paths}

        found: set[int | None] = self._once("years of communes", years)
        return found

    def _arrondissements(self) -> pd.DataFrame:
        """Communes, with the arrondissements of Paris, Lyon and Marseille apart."""
        for folder in self.folders:
            with suppress(MissingDataError):
                outlines, tables = recognise.communes_at_hand(folder, year=files.COG_YEAR)
                return read_communes(outlines, table=tables[:1] or None, arrondissements="keep")
        raise needs("communes")

    def epci(self, year: int | None = None) -> pd.DataFrame:
        """EPCI of the year of the lists, with the people of their communes in a year of reference where known."""
        return self._once(("epci", year), partial(self._epci, year))

    def _epci(self, year: int | None) -> pd.DataFrame:
        for folder in self.folders:
            found = files.epci(folder, self.communes(year))
            if found is not None:
                return found
        raise needs("epci")

    def links(
        self, vintage: int | None, year: int | None = None, *, arrondissements: Literal["fold", "keep"] = "fold"
    ) -> pd.DataFrame:
        """Links of the QPV to their communes, with their people in a year of reference."""
        key = ("links", vintage, year, arrondissements)
        return self._once(key, partial(self._links, _vintage(vintage), year, arrondissements))

    def _links(self, vintage: int, year: int | None, arrondissements: Literal["fold", "keep"]) -> pd.DataFrame:
        people = self.people(vintage, year) if year is not None else None
        communes = self.communes() if arrondissements == "fold" else self._arrondissements()
        return join_communes(self.perimeters(vintage), communes, population=people)

    def crosswalk(self) -> pd.DataFrame:
        """Crosswalk of the two geographies by ground, with the tolerance that fits their outlines."""
        return self._once(
            "crosswalk", lambda: crosswalk(self.perimeters(2015), self.perimeters(2024), tolerance_m="auto")
        )

    def once(self, key: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401
        """What a measure needs and is costly to make: made once."""
        return self._once((key,), make)


def _vintage(vintage: int | None) -> int:
    if vintage not in (2015, 2024):
        raise MissingDataError(Note("published.no_vintage"))
    return int(vintage)


def qpv_people_of_facts(vintage: int, year: int | None) -> dict[str, tuple[int, int]]:
    """Number of QPV and people by territory and region (`region:11`), from the facts; empty where they hold none."""
    held = facts.qpv_populations(vintage)
    year = max(held, default=None) if year is None else year
    found = {place: (row[0], row[1]) for place, row in held.get(year or 0, {}).items()}
    if not found:
        # the census of one territory may be of another year than the table
        found = {
            place: (row[0], row[1]) for rows in held.values() for place, row in rows.items() if row[2] == year and year
        }
    regions = facts.rows("qpv_region_populations")
    own = [row for row in regions if int(row["vintage"]) == vintage and row["reference_year"] == str(year)]
    return found | {f"region:{row['region']}": (int(row["n_qpv"]), int(row["population"])) for row in own}
