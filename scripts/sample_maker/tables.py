"""The tables of neighbourhoods, populations and administrative units, in their published columns."""

from collections.abc import Iterator
from pathlib import Path

from sample_maker.chance import between
from sample_maker.forms import Attributes, csv_text, geojson, shapefile, zipped
from sample_maker.people import census, census_by_commune
from sample_maker.place import COMMUNES, DEPARTMENT, EPCI, REGION, commune_shape
from sample_maker.quarters import NPNRU, QPV_2015, QPV_2024, Quarter

__all__ = ["write_administrative", "write_neighbourhoods", "write_populations"]

URBAN_UNIT = "99601"
LAYER_2024 = "QP2024_France_Hexagonale_Outre_Mer_WGS84"
_NAMES = {commune.code: commune.name for commune in COMMUNES}
_EPCI_OF = {commune.code: commune.epci for commune in COMMUNES}


def _names(quarter: Quarter, separator: str) -> str:
    return separator.join(_NAMES[code] for code in quarter.communes)


def _epcis(quarter: Quarter) -> list[str]:
    return list(dict.fromkeys(_EPCI_OF[code] for code in quarter.communes))


def _feature_2024(rank: int, quarter: Quarter) -> Attributes:
    return {
        "fid": rank, "code_qp": quarter.code, "lib_qp": quarter.name,
        "insee_reg": REGION[0], "lib_reg": REGION[1], "insee_dep": DEPARTMENT[0], "lib_dep": DEPARTMENT[1],
        "insee_com": ", ".join(quarter.communes), "lib_com": _names(quarter, ", "),
        "siren_epci": ", ".join(_epcis(quarter)),
    }  # fmt: skip


def _correspondence() -> Iterator[list[str]]:
    """One row for each code of 2024, with up to three ancestors."""
    old = {quarter.code: quarter.name for quarter in QPV_2015}
    status = {"I": "Inchangé", "M": "Modifié", "N": "Nouveau"}
    for quarter in QPV_2024:
        parents = [*quarter.parents, "", "", ""][:3]
        ancestors = [field for parent in parents for field in (parent, old.get(parent, ""))]
        yield [quarter.code, quarter.name, status[quarter.code[-1]], *ancestors]


def write_neighbourhoods(folder: Path) -> None:
    """Write the two layers, the list of correspondence and the list of the renewal programme."""
    rows = [(quarter.code, quarter.name, _names(quarter, ", ")) for quarter in QPV_2015]
    fields = {"CODE_QP": 8, "NOM_QP": 254, "COMMUNE_QP": 254}
    members = shapefile("QP_METROPOLE_LB93", fields, rows, [quarter.shape for quarter in QPV_2015])
    zipped(folder / "qp-politiquedelaville-shp.zip", members)
    features = [(_feature_2024(rank, quarter), quarter.shape) for rank, quarter in enumerate(QPV_2024, start=1)]
    layer = geojson(LAYER_2024, features, multi=True)
    zipped(folder / "qpv-2024-geojson.zip", {f"GEOJSON/{LAYER_2024}.geojson": layer})
    # The published header has stray spaces: readers must trim it.
    header = (
        "QP2024;Label_QP2024 ;Statut ; QP2015_1;Label_QP2015_1 ; QP2015_2;Label_QP2015_2 ; QP2015_3;Label_QP2015_3 "
    )
    content = b"\xef\xbb\xbf" + csv_text(header, _correspondence())
    (folder / "liste-correspondance-qp2024-qp2015.csv").write_bytes(content)
    old = {quarter.code: quarter.name for quarter in QPV_2015}
    programme = [(code, old[code], interest, signed) for code, interest, signed in NPNRU]
    (folder / "npnru-99.csv").write_bytes(csv_text("code_qp;nom;interet;date_convention", programme))


def write_populations(folder: Path) -> None:
    """Write the populations of both years, and those of 2024 by commune."""
    _, old = census()
    rows_2015 = [
        (q.code, q.name, REGION[0], *[*_epcis(q), ""][:2], URBAN_UNIT, _names(q, ", "), old[q.code]) for q in QPV_2015
    ]
    header = "qp;nom_qp;reg;epci1;epci2;uu;liste_des_communes;population_municipale_2013"
    (folder / "pop_qp_2013.csv").write_bytes(csv_text(header, rows_2015))
    parts = census_by_commune()
    rows_2024 = [
        (
            q.code, q.name, REGION[0], URBAN_UNIT, sum(parts[q.code].values()), ",".join(q.communes), _names(q, ","),
            ",".join(_epcis(q)), DEPARTMENT[0], round(between(14.5, 21.5, "young", q.code), 1),
        )
        for q in QPV_2024
    ]  # fmt: skip
    header = (
        "codeQPV;libQPV;codeReg;codeUU2020;popMuniQPV;listeDepcom;listeLibDepcom;listeEpci2022;listeDep;partPop15_24"
    )
    (folder / "pop_QPV24.csv").write_bytes(csv_text(header, rows_2024))
    by_commune = [(q.code, q.name, code, _NAMES[code], n) for q in QPV_2024 for code, n in parts[q.code].items()]
    header = "codeQPV;libQPV;codeCom;libCom;popMuniQPV"
    (folder / "pop_reference_communales_QPV24.csv").write_bytes(csv_text(header, by_commune))


def write_administrative(folder: Path) -> None:
    """Write commune outlines and the tables of communes, intercommunalities, departments and regions."""
    outlines: list[tuple[Attributes, list[list[list[tuple[int, int]]]]]] = [
        ({"code": commune.code, "nom": commune.name, "region": REGION[0]}, commune_shape(commune))
        for commune in COMMUNES
    ]
    (folder / "contours-99.geojson").write_bytes(geojson("communes", outlines))
    people, _ = census()
    communes = [
        (c.code, c.name, "commune-actuelle", *DEPARTMENT[:1], REGION[0], "metro", f"{people[c.code]}.0", "", "",
         f"2199{c.code[2:]}00", c.epci)
        for c in COMMUNES
    ]  # fmt: skip
    header = "code,nom,type,departement,region,zone,population,commune,chefLieu,siren,epci"
    (folder / "cog2024_communes.csv").write_bytes(csv_text(header, communes, ","))
    groups = []
    for code, (name, kind, _) in EPCI.items():
        members = [c.code for c in COMMUNES if c.epci == code]
        total = sum(people[member] for member in members)
        groups.append((code, name, kind, "FPU", round(total * 1.016), total, len(members)))
    header = "code,nom,type,modeFinancement,populationTotale,populationMunicipale,nb_communes"
    (folder / "cog2024_epci.csv").write_bytes(csv_text(header, groups, ","))
    header = "code,region,chefLieu,nom,typeLiaison,zone"
    department = [(DEPARTMENT[0], REGION[0], COMMUNES[0].code, DEPARTMENT[1], 2, "metro")]
    (folder / "cog2024_departements.csv").write_bytes(csv_text(header, department, ","))
    header = "code,chefLieu,nom,typeLiaison,zone"
    region = [(REGION[0], COMMUNES[0].code, REGION[1], 4, "metro")]
    (folder / "cog2024_regions.csv").write_bytes(csv_text(header, region, ","))
