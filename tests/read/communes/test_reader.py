"""Communes and EPCI: tables in every form, outlines in pieces and of several years, arrondissements."""

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest
import shapely
from shapely.geometry import box
from tests.read.communes.reader_notes import notes

from qpvgeo.codes import official
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.read.communes.epci import EPCI_COLUMNS, read_epci
from qpvgeo.read.communes.reader import COMMUNE_COLUMNS, read_communes
from qpvgeo.samples import sample

CC, CA, GRAND_PARIS, EPT = "240100883", "200071751", "200054781", "200057966"

ETALAB = (
    "code,nom,type,departement,region,zone,population,commune,chefLieu,siren,epci\n"
    f"01004,Ambre,commune-actuelle,01,84,metro,100.0,,,210100046,{CC}\n"
    f"01053,Bourg,commune-actuelle,01,84,metro,200.0,,,210100533,{CA}\n"
    f"01033,Belle,commune-deleguee,01,84,metro,50.0,,01004,,{CC}\n"
    f"01004,Ambre,commune-deleguee,01,84,metro,50.0,,01004,,{CC}\n"
    "97801,Saint-M,commune-actuelle,978,978,com,,,,,\n"
)


def write(folder, content, name):
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in [["Titre"], ["Source"], [], ["Champ"], [], *rows]:
            sheet.append(row)
    book.save(path)
    return path


def outlines(path, shapes, crs=2154, **columns):
    frame = gpd.GeoDataFrame({"code": list(shapes), **columns}, geometry=list(shapes.values()), crs=crs)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_file(path)
    return path


def square(x, y=0, size=1000):
    return box(700_000 + x, 6_600_000 + y, 700_000 + x + size, 6_600_000 + y + size)


def keys(frame):
    return [getattr(note, "key", note) for note in notes(frame)]


def test_etalab_table_gives_the_communes_of_today(tmp_path):
    communes = read_communes(write(tmp_path, ETALAB, "cog2024_communes.csv"))
    assert tuple(communes.columns) == COMMUNE_COLUMNS
    assert communes.index.tolist() == ["01004", "01053", "97801"]
    assert communes["population"].tolist() == [100, 200, pd.NA]
    assert communes["cog_year"].tolist() == [2024] * 3
    assert communes.loc["01004", ["name", "epci", "department", "region", "territory"]].tolist() == [
        "Ambre",
        CC,
        "01",
        "84",
        "hexagone",
    ]
    assert communes.loc["97801", ["department", "territory"]].tolist() == ["978", "978"]
    assert communes.loc["97801", ["epci", "region"]].isna().all()
    assert not isinstance(communes, gpd.GeoDataFrame)


def test_insee_table_is_read_with_its_types(tmp_path):
    content = (
        "TYPECOM,COM,REG,DEP,CTCD,ARR,TNCC,NCC,NCCENR,LIBELLE,CAN,COMPARENT\n"
        "COM,01004,84,01,01D,011,1,AMBRE,Ambre,Ambre,0101,\nCOMD,01033,,,,,0,BELLE,Belle,Belle,,01004\n"
        "COM,75056,11,75,75C,751,0,PARIS,Paris,Paris,,\nARM,75101,11,75,,751,0,PARIS 1,Paris 1,Paris 1,,75056\n"
    )
    communes = read_communes(write(tmp_path, content, "v_commune_2023.csv"))
    assert communes["name"].to_dict() == {"01004": "Ambre", "75056": "Paris"}
    assert communes["cog_year"].tolist() == [2023, 2023]
    assert communes["population"].isna().all()


def test_workbooks_complete_one_another(tmp_path):
    com = workbook(
        tmp_path / "table-appartenance-geo-communes-24.xlsx",
        COM=[["CODGEO", "LIBGEO", "DEP", "REG"], ["01004", "Ambre", "01", "84"], ["92002", "Antin", "92", "11"]],
    )
    epci = workbook(
        tmp_path / "Intercommunalite_Metropole_au_01-01-2024.xlsx",
        EPCI=[["EPCI", "LIBEPCI", "NATURE_EPCI", "NB_COM"], [CC, "CC", "CC", 1]],
        Composition_communale=[
            ["CODGEO", "LIBGEO", "EPCI", "LIBEPCI", "DEP", "REG"],
            ["01004", "Ambre", "ZZZZZZZZZ", "Hors EPCI", "01", "84"],
            ["92002", "Antin", GRAND_PARIS, "MGP", "92", "11"],
        ],
    )
    ept = workbook(
        tmp_path / "ept_au_01-01-2024.xlsx",
        EPT=[["EPT", "LIBEPT", "NB_COM"], [EPT, "T2", 1]],
        Composition_communale=[["CODGEO", "LIBGEO", "EPT", "LIBEPT"], ["92002", "Antin", EPT, "T2"]],
    )
    people = write(tmp_path, "CODGEO;LIBGEO;P13_POP\n01004;Ambre;12,75\n", "P13_POP.csv")
    communes = read_communes(com, table=[epci, ept, people])
    assert communes["epci"].isna().tolist() == [True, False]
    assert communes.loc["92002", ["epci", "ept"]].tolist() == [GRAND_PARIS, EPT]
    assert communes["population"].tolist() == [13, pd.NA]
    assert communes["cog_year"].tolist() == [2024, 2024]


def test_first_table_that_gives_a_thing_is_believed(tmp_path):
    cog = write(tmp_path, ETALAB, "cog2024_communes.csv")
    people = write(tmp_path, "CODGEO;LIBGEO;P13_POP\n01004;Ambre;12\n99999;Fin;1\n", "P13_POP.csv")
    assert read_communes(cog, table=people)["population"].tolist() == [100, 200, pd.NA]
    communes = read_communes(people, table=cog)
    assert communes["population"].tolist() == [12, 200, pd.NA]
    assert "P13_POP.csv: 1 code not in cog2024_communes.csv: 99999" in notes(communes)


def test_ept_alone_means_the_metropole_of_the_grand_paris(tmp_path):
    content = f"code,nom,epci\n92002,Antin,{EPT}\n92004,Asni,{GRAND_PARIS}/{EPT}\n01004,Ambre,{CC}\n"
    communes = read_communes(write(tmp_path, content, "communes.csv"))
    assert communes["epci"].tolist() == [GRAND_PARIS, GRAND_PARIS, CC]
    assert communes["ept"].fillna("").tolist() == [EPT, EPT, ""]


def test_siren_that_is_none_is_missing_and_told(tmp_path):
    communes = read_communes(write(tmp_path, "code,nom,epci\n01004,Ambre,123456789\n", "communes.csv"))
    assert communes["epci"].isna().all()
    assert keys(communes) == ["read.not_siren", "read.no_populations"]


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("cog2024_communes.csv", 2024),
        ("v_commune_2023.csv", 2023),
        ("Intercommunalite-Metropole_au_01-01-2021.csv", 2021),
        ("table-appartenance-geo-communes-25.csv", 2025),
        ("communes.csv", None),
        ("donnees_communes_pop_2019.csv", None),
    ],
)
def test_year_of_the_cog_comes_from_the_name_of_the_file(tmp_path, name, year):
    communes = read_communes(write(tmp_path, ETALAB, name))
    assert communes["cog_year"].dropna().unique().tolist() == ([year] if year else [])
    assert read_communes(tmp_path / name, cog_year=2022)["cog_year"].tolist() == [2022] * 3


def test_year_of_the_whole_is_that_of_the_cog_then_of_the_outlines(tmp_path):
    old = outlines(tmp_path / "communes_2018.parquet", {"01004": square(0)})
    newer = outlines(tmp_path / "communes_2020.parquet", {"01053": square(1000)})
    people = write(tmp_path, "CODGEO;P13_POP\n01004;12\n", "P13_POP.csv")
    cog = write(tmp_path, ETALAB, "cog2024_communes.csv")
    assert read_communes(old, table=people)["cog_year"].tolist() == [2018]
    communes = read_communes([old, newer], table=cog)
    assert communes["cog_year"].tolist() == [2024, 2024]
    assert "files of the COG of 2018, 2020 and 2024: 2024" in notes(communes)
    assert read_communes([old, newer])["cog_year"].isna().all()


@pytest.mark.parametrize("suffix", [".parquet", ".geojson", ".gpkg", ".shp"])
def test_outlines_in_every_form_take_the_attributes_of_the_table(tmp_path, suffix):
    crs = 4326 if suffix == ".geojson" else 2154
    shapes = gpd.GeoSeries({"01004": square(0), "01053": square(1000)}, crs=2154).to_crs(crs)
    path = outlines(tmp_path / f"communes_2024{suffix}", shapes.to_dict(), crs=crs, nom=["x", "y"])
    communes = read_communes(path, table=write(tmp_path, ETALAB, "cog2024_communes.csv"))
    assert isinstance(communes, gpd.GeoDataFrame)
    assert communes.crs.to_epsg() == crs
    assert communes["name"].tolist() == ["Ambre", "Bourg"]
    assert communes["population"].tolist() == [100, 200]
    assert communes.to_crs(2154).area.round(-3).tolist() == [1_000_000, 1_000_000]
    assert "read.communes_without_outline" in keys(communes)


def test_admin_express_needs_no_table(tmp_path):
    path = tmp_path / "COMMUNE.shp"
    gpd.GeoDataFrame(
        {
            "INSEE_COM": ["92002", "01004"],
            "NOM": ["Antin", "Ambre"],
            "INSEE_DEP": ["92", "01"],
            "INSEE_REG": ["11", "84"],
            "POPULATION": [10, 20],
            "SIREN_EPCI": [f"{GRAND_PARIS}/{EPT}", "NR"],
        },
        geometry=[square(0), square(2000)],
        crs=2154,
    ).to_file(path)
    communes = read_communes(path, cog_year=2023)
    assert communes["population"].tolist() == [10, 20]
    assert communes.loc["92002", ["name", "epci", "ept", "region"]].tolist() == ["Antin", GRAND_PARIS, EPT, "11"]
    assert communes["epci"].isna().tolist() == [False, True]


def test_layer_of_communes_is_found_among_others(tmp_path):
    path = tmp_path / "admin.gpkg"
    for layer, code in (("commune", "01004"), ("commune_associee_ou_deleguee", "01033")):
        frame = gpd.GeoDataFrame({"INSEE_COM": [code], "NOM": ["x"]}, geometry=[square(0)], crs=2154)
        frame.to_file(path, layer=layer)
    assert read_communes(path).index.tolist() == ["01004"]


def test_pieces_of_one_projection_keep_it_and_others_go_to_degrees(tmp_path):
    one = outlines(tmp_path / "a.parquet", {"01004": square(0)})
    two = outlines(tmp_path / "b.parquet", {"01053": square(1000)})
    far = outlines(tmp_path / "c.parquet", {"97411": box(55.4, -20.9, 55.5, -20.8)}, crs=4326)
    assert read_communes([one, two]).crs.to_epsg() == 2154
    communes = read_communes([one, two, far])
    assert communes.crs.to_epsg() == 4326
    assert communes.index.tolist() == ["01004", "01053", "97411"]
    assert communes["territory"].tolist() == ["hexagone", "hexagone", "974"]


def test_outline_in_two_pieces_is_kept_once_when_it_is_the_same(tmp_path):
    one = outlines(tmp_path / "a.parquet", {"01004": square(0)})
    same = outlines(tmp_path / "b.parquet", {"01004": shapely.reverse(square(0)), "01053": square(1000)})
    other = outlines(tmp_path / "c.parquet", {"01004": square(5)})
    assert read_communes([one, same]).index.tolist() == ["01004", "01053"]
    with pytest.raises(DataError, match="01004"):
        read_communes([one, other])


def test_former_communes_are_dissolved_into_their_successor(tmp_path):
    old = outlines(
        tmp_path / "communes_2018.parquet",
        {"01033": square(0), "01053": square(5000), "01004": square(1000), "01999": square(9000)},
        population=[50, 200, 50, 1],
    )
    communes = read_communes(old, table=write(tmp_path, ETALAB, "cog2024_communes.csv"))
    assert communes.index.tolist() == ["01004", "01053", "01999"]
    assert communes.geometry["01004"].equals(box(700_000, 6_600_000, 702_000, 6_601_000))
    assert communes["population"].tolist() == [100, 200, 1]
    assert communes["cog_year"].tolist() == [2024] * 3
    about = communes.attrs["qpvgeo"]
    assert about["moved"] == {"01033": "01004"}
    assert about["unknown"] == ["01999"]


def test_population_of_a_part_is_not_given_to_the_whole(tmp_path):
    old = outlines(tmp_path / "old.parquet", {"01033": square(0), "01004": square(1000)}, population=[50, 60])
    cog = write(tmp_path, ETALAB.replace("metro,100.0", "metro,"), "cog2024_communes.csv")
    assert read_communes(old, table=cog)["population"].tolist() == [pd.NA]


def test_movements_lead_former_communes_further(tmp_path):
    old = outlines(tmp_path / "old.parquet", {"01998": square(0), "01053": square(1000)})
    moves = (
        "MOD,DATE_EFF,TYPECOM_AV,COM_AV,LIBELLE_AV,TYPECOM_AP,COM_AP,LIBELLE_AP\n"
        "32,2019-01-01,COM,01998,Vieux,COM,01997,Milieu\n31,2022-01-01,COM,01997,Milieu,COM,01053,Bourg\n"
        "10,2021-01-01,COM,01998,Vieux,COM,01998,Autre\n21,2023-01-01,COM,01053,Bourg,COM,01004,Ambre\n"
    )
    tables = [write(tmp_path, ETALAB, "cog2024_communes.csv"), write(tmp_path, moves, "v_mvt_commune_2024.csv")]
    communes = read_communes(old, table=tables)
    assert communes.index.tolist() == ["01053"]
    assert communes.area.tolist() == [2_000_000]


PARIS = {code: square(1000 * k, 50_000) for k, code in enumerate(official.ARRONDISSEMENTS["75056"])}
WHOLE = box(700_000, 6_650_000, 720_000, 6_651_000)


def table_of_paris(folder):
    rows = "".join(f"{code},P,arrondissement-municipal,{k},75056,,\n" for k, code in enumerate(PARIS, start=1))
    header = "code,nom,type,population,commune,chefLieu,epci\n"
    content = f"{header}75056,Paris,commune-actuelle,999,,,{GRAND_PARIS}\n{rows}"
    return write(folder, content, "cog2024_communes.csv")


@pytest.mark.parametrize("given", ["whole", "arrondissements", "both"])
def test_arrondissements_folded_give_paris_once(tmp_path, given):
    shapes = {**({} if given == "arrondissements" else {"75056": WHOLE}), **({} if given == "whole" else PARIS)}
    communes = read_communes(outlines(tmp_path / "c.parquet", shapes), table=table_of_paris(tmp_path))
    assert communes.index.tolist() == ["75056"]
    assert communes.area.tolist() == [20_000_000]
    assert communes.loc["75056", ["name", "epci"]].tolist() == ["Paris", GRAND_PARIS]
    assert communes["population"].tolist() == [210 if given == "arrondissements" else 999]


@pytest.mark.parametrize(("given", "rows"), [("whole", 1), ("arrondissements", 20), ("both", 20)])
def test_arrondissements_kept_never_overlap_paris(tmp_path, given, rows):
    shapes = {**({} if given == "arrondissements" else {"75056": WHOLE}), **({} if given == "whole" else PARIS)}
    path = outlines(tmp_path / "c.parquet", shapes)
    communes = read_communes(path, table=table_of_paris(tmp_path), arrondissements="keep")
    assert len(communes) == rows
    assert communes.area.sum() == 20_000_000
    assert communes["population"].sum() == (999 if given == "whole" else 210)
    assert communes["epci"].eq(GRAND_PARIS).all()


def test_some_arrondissements_do_not_replace_the_whole(tmp_path):
    shapes = {"75056": WHOLE, "75101": PARIS["75101"]}
    communes = read_communes(outlines(tmp_path / "c.parquet", shapes), arrondissements="keep")
    assert communes.index.tolist() == ["75056"]
    assert keys(communes)[0] == "read.stays_whole"


def test_commune_made_of_some_arrondissements_has_no_known_population(tmp_path):
    path = outlines(tmp_path / "c.parquet", {"75101": PARIS["75101"], "75102": PARIS["75102"]}, population=[1, 2])
    communes = read_communes(path)
    assert communes["population"].tolist() == [pd.NA]
    assert keys(communes)[0] == "read.made_from_some_parts"


def test_tables_alone_settle_arrondissements_too(tmp_path):
    path = table_of_paris(tmp_path)
    assert read_communes(path)["population"].to_dict() == {"75056": 999}
    kept = read_communes(path, arrondissements="keep")
    assert kept["population"].sum() == 210
    assert kept["epci"].eq(GRAND_PARIS).all()


def test_invalid_outlines_are_made_valid_and_counted(tmp_path):
    eight = shapely.from_wkt(
        "POLYGON ((700000 6600000, 701000 6601000, 701000 6600000, 700000 6601000, 700000 6600000))"
    )
    communes = read_communes(outlines(tmp_path / "c.parquet", {"01004": eight, "01053": square(5000)}))
    assert communes.is_valid.all()
    assert communes.area.tolist() == [500_000, 1_000_000]
    assert keys(communes)[0] == "read.outlines_repaired"


def test_missing_outline_is_named(tmp_path):
    path = outlines(tmp_path / "c.parquet", {"01004": square(0), "01053": None})
    with pytest.raises(DataError, match="01053"):
        read_communes(path)


@pytest.mark.filterwarnings("ignore:'crs' was not provided")
def test_projection_that_cannot_be_known_is_refused(tmp_path):
    path = outlines(tmp_path / "c.gpkg", {"01004": box(0, 0, 1000, 1000)}, crs=None)
    with pytest.raises(DataError, match="declares no projection"):
        read_communes(path)


def test_outlines_without_codes_say_how_to_name_them(tmp_path):
    path = tmp_path / "c.parquet"
    gpd.GeoDataFrame({"id_geo": ["01004"], "label": ["Ambre"]}, geometry=[square(0)], crs=2154).to_parquet(path)
    with pytest.raises(DataError, match="columns="):
        read_communes(path)
    communes = read_communes(path, columns={"id_geo": "code", "label": "name"})
    assert communes["name"].to_dict() == {"01004": "Ambre"}


def test_name_given_that_no_file_has_is_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere"):
        read_communes(write(tmp_path, ETALAB, "c.csv"), columns={"nowhere": "population"})


def test_communes_that_stand_twice_are_listed(tmp_path):
    with pytest.raises(DataError) as caught:
        read_communes(write(tmp_path, "code,nom\n01004,a\n01004,b\n", "c.csv"))
    assert caught.value.problems == ("01004",)


def test_wrong_calls_are_told(tmp_path):
    with pytest.raises(UsageError, match="'fold' and 'keep'"):
        read_communes(tmp_path / "c.csv", arrondissements="drop")
    with pytest.raises(MissingDataError, match=r"c\.csv"):
        read_communes(tmp_path / "c.csv")
    with pytest.raises(UsageError, match="No source"):
        read_communes([])


def test_frame_and_provenance_survive_geoparquet(tmp_path):
    communes = read_communes(sample().communes, table=sample().communes_table)
    assert communes.attrs["qpvgeo"]["fictional"]
    communes.to_parquet(tmp_path / "c.parquet")
    back = gpd.read_parquet(tmp_path / "c.parquet")
    assert back.attrs == communes.attrs
    assert back["population"].equals(communes["population"])
    again = read_communes(tmp_path / "c.parquet", cog_year=2024)
    assert again.drop(columns="geometry").equals(communes.drop(columns="geometry"))


def test_etalab_epci(tmp_path):
    content = (
        "code,nom,type,modeFinancement,populationTotale,populationMunicipale,nb_communes\n"
        f"{CC},CC des Bois,CC,FPU,110,100,7\n{GRAND_PARIS},Métropole,METRO,FPU,210,200,130\n"
    )
    epci = read_epci(write(tmp_path, content, "cog2024_epci.csv"))
    assert tuple(epci.columns) == EPCI_COLUMNS
    assert epci.loc[CC].tolist() == ["CC des Bois", "CC", 7, 100, 2024]


def test_insee_workbook_of_epci(tmp_path):
    path = workbook(
        tmp_path / "Intercommunalite_Metropole_au_01-01-2023.xlsx",
        Composition_communale=[["CODGEO", "LIBGEO", "EPCI", "LIBEPCI"], ["01004", "Ambre", CC, "CC des Bois"]],
        EPCI=[
            ["EPCI", "LIBEPCI", "NATURE_EPCI", "NB_COM"],
            [CC, "CC des Bois", "CC", 7],
            [GRAND_PARIS, "Métropole", "ME", 130],
            ["ZZZZZZZZZ", "Hors EPCI", "ZZ", 4],
        ],
    )
    epci = read_epci(path)
    assert epci["nature"].to_dict() == {CC: "CC", GRAND_PARIS: "METRO"}
    assert epci["n_communes"].tolist() == [7, 130]
    assert epci["population"].isna().all()
    assert epci["cog_year"].tolist() == [2023, 2023]
    assert keys(epci) == ["read.outside_epci"]


def test_workbook_of_ept(tmp_path):
    path = workbook(tmp_path / "ept_au_01-01-2025.xlsx", EPT=[["EPT", "LIBEPT", "NB_COM"], [EPT, "Vallée", 11]])
    assert read_epci(path).loc[EPT].fillna(0).tolist() == ["Vallée", "EPT", 11, 0, 2025]


def test_composition_is_counted_where_there_is_no_list(tmp_path):
    content = f"CODGEO;LIBGEO;EPCI;LIBEPCI\n01004;a;{CC};CC\n01005;b;{CC};CC\n01053;c;{CA};CA\n"
    epci = read_epci(write(tmp_path, content, "composition.csv"))
    assert epci["n_communes"].to_dict() == {CC: 2, CA: 1}
    assert epci["cog_year"].isna().all()


def test_dgcl_table_has_a_row_per_member(tmp_path):
    content = (
        "dept;siren;raison_sociale;nature_juridique;nb_membres;total_pop_mun;insee;siren_membre;nom_membre;pmun_2024\n"
        f"01;{CC};CC des Bois;CC;2;300;01004;210100046;Ambre;100\n"
        f"01;{CC};CC des Bois;CC;2;300;01053;210100533;Bourg;200\n"
    )
    path = write(tmp_path, content, "epcicom2024.csv")
    assert read_epci(path).loc[CC].tolist() == ["CC des Bois", "CC", 2, 300, 2024]
    communes = read_communes(path)
    assert communes[["name", "population", "epci"]].to_numpy().tolist() == [["Ambre", 100, CC], ["Bourg", 200, CC]]


def test_epci_whose_rows_differ_are_refused(tmp_path):
    content = f"code,nom,type\n{CC},CC des Bois,CC\n{CC},CC des Champs,CC\n"
    with pytest.raises(DataError, match=CC):
        read_epci(write(tmp_path, content, "epci.csv"))


def test_table_with_the_bytes_of_another_year_beside_it_is_told(tmp_path):
    content = f"code,nom,type\n{CC},CC des Bois,CC\n"
    for name in ("cog2025_epci.csv", "copy_2026.csv", "epci.csv", "cog2024_epci.txt"):
        write(tmp_path, content, name)
    write(tmp_path, content.replace("Bois", "Combe"), "cog2024_epci.csv")
    told = "it shows no change between these years"
    assert notes(read_epci(write(tmp_path, content, "cog2026_epci.csv"))) == [
        f"cog2026_epci.csv has the same bytes as cog2025_epci.csv: {told}"
    ]
    assert notes(read_epci(tmp_path / "cog2025_epci.csv")) == [
        f"cog2025_epci.csv has the same bytes as cog2026_epci.csv and copy_2026.csv: {told}"
    ]
    assert notes(read_epci(tmp_path / "cog2024_epci.csv")) == []
    assert notes(read_epci(tmp_path / "epci.csv")) == []
    write(tmp_path, ETALAB, "cog2025_communes.csv")
    assert notes(read_communes(write(tmp_path, ETALAB, "cog2026_communes.csv"))) == [
        f"cog2026_communes.csv has the same bytes as cog2025_communes.csv: {told}"
    ]


DGCL_2017 = (
    "siren;nom;nature;fiscalite;nb_com;ptot;pmun;insee;siren_com;nom_com;ptot_com;pmun_com\n"
    "245900410;Métropole Européenne de Lille;METRO;FPU;2;260000;255000;59350;215903501;Lille;240000;236000\n"
    "245900410;Métropole Européenne de Lille;METRO;FPU;2;260000;255000;59009;215900093;Villeneuve;20000;19000\n"
)


def test_composition_of_epci_gives_the_people_of_the_communes(tmp_path):
    communes = read_communes(write(tmp_path, DGCL_2017, "composition_2017.csv"))
    assert communes["population"].to_dict() == {"59350": 236_000, "59009": 19_000}
    assert communes["epci"].unique().tolist() == ["245900410"]
    assert communes["name"].tolist() == ["Lille", "Villeneuve"]


def test_people_of_the_epci_are_not_those_of_its_communes(tmp_path):
    lines = [";".join(line.split(";")[:10]) for line in DGCL_2017.splitlines()]
    communes = read_communes(write(tmp_path, "\n".join(lines) + "\n", "composition_2017.csv"))
    assert communes["population"].isna().all()
    assert "read.epci_totals" in keys(communes)


def test_sums_that_cannot_be_are_left_out_with_the_places(tmp_path):
    path = write(tmp_path, "codgeo,libgeo,pmun\n59350,Lille,3000000\n59009,Villeneuve,2000000\n", "communes_2020.csv")
    communes = read_communes(path)
    assert communes["population"].isna().all()
    note = next(note for note in notes(communes) if note.key == "read.populations_left_out")
    assert [(place.values["place"], place.values["sum"]) for place in note.values["places"]] == [("Nord", 5_000_000)]


COG_2017 = (
    "ACTUAL\tCHEFLIEU\tCDC\tRANG\tREG\tDEP\tCOM\tAR\tCT\tMODIF\tPOLE\tTNCC\tARTMAJ\tNCC\tARTMIN\tNCCENR\n"
    "1\t0\t0\t\t84\t01\t001\t2\t08\t0\t\t5\t(L')\tABERGEMENT\t(L')\tAbergement-Clémenciat\n"
    "3\t\t\t\t84\t01\t003\t\t\t\t01165\t1\t\tAMAREINS\t\tAmareins\n"
    "1\t0\t0\t\t84\t01\t165\t2\t08\t0\t\t1\t\tFRANCHELEINS\t\tFrancheleins\n"
    "6\t0\t0\t\t84\t01\t165\t2\t08\t0\t01165\t1\t\tFRANCHELEINS\t\tFrancheleins\n"
    "1\t0\t0\t\t94\t2A\t004\t1\t99\t0\t\t1\t\tAJACCIO\t\tAjaccio\n"
    "4\t\t\t\t\t20\t004\t\t\t1\t2A004\t1\t\tAJACCIO\t\tAjaccio\n"
    "1\t0\t0\t\t01\t971\t01\t1\t99\t0\t\t1\t(Les)\tABYMES\t(Les)\tAbymes\n"
    "5\t0\t0\t\t11\t75\t101\t1\t99\t0\t\t1\t\tPARIS 1ER\t\tParis 1er\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_cog_of_before_2018_lists_the_communes_of_its_day(tmp_path, encoding):
    path = tmp_path / "France2017.txt"
    path.write_bytes(COG_2017.encode(encoding))
    communes = read_communes(path, arrondissements="keep")
    assert communes["name"].to_dict() == {
        "01001": "L'Abergement-Clémenciat",
        "01165": "Francheleins",
        "2A004": "Ajaccio",
        "97101": "Les Abymes",
        "75101": "Paris 1er",
    }
    assert communes["cog_year"].eq(2017).all()


def test_former_codes_of_the_cog_lead_outlines_to_their_successor(tmp_path):
    path = write(tmp_path, COG_2017, "France2017.txt")
    shapes = {"01003": square(0), "01165": square(1000), "20004": square(5000)}
    file = outlines(tmp_path / "old.gpkg", {code: shapes[code] for code in ("01003", "01165")})
    communes = read_communes(file, table=path)
    assert communes.index.tolist() == ["01165"]
    assert communes.area.iloc[0] == pytest.approx(2e6)


@pytest.mark.parametrize("year", [1999, 2016])
def test_simple_cog_gives_names_with_their_article(tmp_path, year):
    content = (
        "CDC\tCHEFLIEU\tREG\tDEP\tCOM\tAR\tCT\tTNCC\tARTMAJ\tNCC\tARTMIN\tNCCENR\n"
        "0\t0\t84\t01\t001\t2\t08\t5\t(L')\tABERGEMENT\t(L')\tAbergement-Clémenciat\n"
        "0\t0\t84\t01\t004\t2\t01\t1\t\tAMBERIEU\t\tAmbérieu-en-Bugey\n"
    )
    communes = read_communes(write(tmp_path, content, f"comsimp{year}.txt"))
    assert communes["name"].tolist() == ["L'Abergement-Clémenciat", "Ambérieu-en-Bugey"]
    assert communes["cog_year"].tolist() == [year, year]


def test_a_code_of_a_department_that_is_no_more_is_named(tmp_path):
    with pytest.raises(DataError) as caught:
        read_communes(write(tmp_path, "DEP\tCOM\tNCCENR\n01\t001\tA\n20\t004\tAjaccio\n", "comsimp1990.txt"))
    assert "20004" in caught.value.problems[0]


def test_communes_of_the_collectivities_are_read(tmp_path):
    content = "TYPECOM,COM,REG,DEP,LIBELLE\nCOM,97101,01,971,Les Abymes\nCOM,97801,,978,Saint-Martin\n"
    communes = read_communes(write(tmp_path, content, "v_commune_2026.csv"))
    assert communes["territory"].to_dict() == {"97101": "971", "97801": "978"}
