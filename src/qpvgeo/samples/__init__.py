"""The embedded sample: a fictional agglomeration at sea, in the forms of the published files.

The place is an island of the Bay of Biscay that does not exist (department 99), made by `scripts/make_sample.py`.
The files have the names, columns, encodings and coordinate systems of the published ones, so that reading them is
the real work; none of their content comes from a published file. Every output made from them must carry
`FICTIONAL`.
"""

from dataclasses import dataclass, fields
from importlib.resources import files as _resources
from pathlib import Path

__all__ = ["FICTIONAL", "Sample", "files", "sample"]

FICTIONAL = "Fictional data: the sample of qpvgeo describes no real place."

_FILES = {
    "qpv_2015": "qp-politiquedelaville-shp.zip",
    "qpv_2024": "qpv-2024-geojson.zip",
    "population_2015": "pop_qp_2013.csv",
    "population_2024": "pop_QPV24.csv",
    "population_2024_communes": "pop_reference_communales_QPV24.csv",
    "communes": "contours-99.geojson",
    "communes_table": "cog2024_communes.csv",
    "epci_table": "cog2024_epci.csv",
    "departments_table": "cog2024_departements.csv",
    "regions_table": "cog2024_regions.csv",
    "grid_2017": "Filosofi2017_carreaux_200m_csv.zip",
    "grid_2019": "Filosofi2019_carreaux_200m_csv.zip",
    "addresses": "adresses-99.csv.gz",
    "footprints": "batiments-99.geojson",
    "floods": "zones-inondables-99.geojson",
    "npnru": "npnru-99.csv",
    "correspondence": "liste-correspondance-qp2024-qp2015.csv",
}


@dataclass(frozen=True, repr=False)
class Sample:
    """Where the files of the sample are.

    Attributes
    ----------
    path
        Folder of the files, with a `README.md` that describes them.
    qpv_2015
        Zip of a shapefile, EPSG:2154, cp1252 without `.cpg`: 14 QPV.
    qpv_2024
        Zip of a GeoJSON, longitude and latitude: 16 QPV.
    population_2015
        Municipal population of the QPV of 2015.
    population_2024
        Municipal population of the QPV of 2024.
    population_2024_communes
        The same, a row for each QPV and commune.
    communes
        Outlines of the 12 communes, GeoJSON.
    communes_table, epci_table, departments_table, regions_table
        Codes, names and populations of the administrative units.
    grid_2017, grid_2019
        Zips of the 200 m grid of incomes: CamelCase columns for 2017, lower case for 2019.
    addresses
        Addresses in the columns of the BAN, some of them faulty.
    footprints
        Building footprints, GeoJSON.
    floods
        Flood zones by grade, GeoJSON.
    npnru
        QPV of 2015 with a convention of the renewal programme.
    correspondence
        Published list of the ancestors of each QPV of 2024.
    """

    path: Path
    qpv_2015: Path
    qpv_2024: Path
    population_2015: Path
    population_2024: Path
    population_2024_communes: Path
    communes: Path
    communes_table: Path
    epci_table: Path
    departments_table: Path
    regions_table: Path
    grid_2017: Path
    grid_2019: Path
    addresses: Path
    footprints: Path
    floods: Path
    npnru: Path
    correspondence: Path

    def __repr__(self) -> str:
        """Name the folder once, then each file."""
        return "\n".join([f"Sample in {self.path}", *(f"  {name:<25}{file}" for name, file in _FILES.items())])


def sample() -> Sample:
    """Give the paths of the embedded sample; nothing is read.

    Returns
    -------
    Sample
        One path for each file, and the folder.

    Examples
    --------
    >>> from qpvgeo.samples import FICTIONAL, sample
    >>> sample().qpv_2015.name
    'qp-politiquedelaville-shp.zip'
    >>> FICTIONAL
    'Fictional data: the sample of qpvgeo describes no real place.'
    """
    folder = Path(str(_resources(__name__))) / "data"
    return Sample(path=folder, **{name: folder / file for name, file in _FILES.items()})


def files() -> dict[str, Path]:
    """Give every file of the sample under its name, in the order of `Sample`.

    Returns
    -------
    dict of str to pathlib.Path
        Paths by attribute name, the folder left out.

    Examples
    --------
    >>> from qpvgeo.samples import files
    >>> list(files())[:3]
    ['qpv_2015', 'qpv_2024', 'population_2015']
    >>> all(path.is_file() for path in files().values())
    True
    """
    here = sample()
    return {field.name: getattr(here, field.name) for field in fields(here) if field.name != "path"}
