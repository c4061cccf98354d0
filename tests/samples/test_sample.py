"""The embedded sample: reproducible, fictional, in the published forms, with every special case in it."""

import csv
import gzip
import io
import json
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely.validation import explain_validity

from qpvgeo.samples import FICTIONAL, files, sample

SCRIPT = Path(__file__).parents[2] / "scripts" / "make_sample.py"
LAYER_2024 = "GEOJSON/QP2024_France_Hexagonale_Outre_Mer_WGS84.geojson"
WHEEL_BUDGET = 2_000_000

# What became of each QPV of 2015, written by hand: the ground truth of the crosswalk.
CLASSES = {
    ("QP099001", "QN09902I"): "kept",
    ("QP099002", "QN09901M"): "grown",
    ("QP099003", "QN09903M"): "split",
    ("QP099003", "QN09904M"): "split",
    ("QP099004", "QN09906M"): "shrunk",
    ("QP099005", "QN09905M"): "merged",
    ("QP099006", "QN09905M"): "merged",
    ("QP099007", "QN09908I"): "kept",
    ("QP099008", "QN09909M"): "shrunk",
    ("QP099009", None): "dropped",
    ("QP099010", "QN09912I"): "kept",
    ("QP099011", "QN09911M"): "reshaped",
    ("QP099012", "QN09913M"): "grown",
    ("QP099013", "QN09914M"): "reshaped",
    ("QP099014", None): "dropped",
    (None, "QN09907N"): "new",
    (None, "QN09910N"): "new",
    (None, "QN09915N"): "new",
    (None, "QN09916N"): "new",
}
HEADERS = {
    "population_2015": "qp;nom_qp;reg;epci1;epci2;uu;liste_des_communes;population_municipale_2013",
    "population_2024": "codeQPV;libQPV;codeReg;codeUU2020;popMuniQPV;listeDepcom;listeLibDepcom;listeEpci2022;listeDep;"
    "partPop15_24",
    "population_2024_communes": "codeQPV;libQPV;codeCom;libCom;popMuniQPV",
    "communes_table": "code,nom,type,departement,region,zone,population,commune,chefLieu,siren,epci",
    "epci_table": "code,nom,type,modeFinancement,populationTotale,populationMunicipale,nb_communes",
    "departments_table": "code,region,chefLieu,nom,typeLiaison,zone",
    "regions_table": "code,chefLieu,nom,typeLiaison,zone",
    "addresses": "id;id_fantoir;numero;rep;nom_voie;code_postal;code_insee;nom_commune;code_insee_ancienne_commune;"
    "nom_ancienne_commune;x;y;lon;lat;type_position;alias;nom_ld;libelle_acheminement;nom_afnor;source_position;"
    "source_nom_voie;certification_commune;cad_parcelles",
    "grid_2017": "Idcar_200m,I_est_200,Idcar_1km,I_est_1km,Idcar_nat,Groupe,Ind,Men_1ind,Men_5ind,Men_prop,Men_fmp,"
    "Ind_snv,Men_surf,Men_coll,Men_mais,Log_av45,Log_45_70,Log_70_90,Log_ap90,Log_inc,Log_soc,Ind_0_3,Ind_4_5,Ind_6_10,"
    "Ind_11_17,Ind_18_24,Ind_25_39,Ind_40_54,Ind_55_64,Ind_65_79,Ind_80p,Ind_inc,Men_pauv,Men,lcog_geo",
    "grid_2019": "idcar_200m,idcar_1km,idcar_nat,i_est_200,i_est_1km,lcog_geo,ind,men,men_pauv,men_1ind,men_5ind,"
    "men_prop,men_fmp,ind_snv,men_surf,men_coll,men_mais,log_av45,log_45_70,log_70_90,log_ap90,log_inc,log_soc,ind_0_3,"
    "ind_4_5,ind_6_10,ind_11_17,ind_18_24,ind_25_39,ind_40_54,ind_55_64,ind_65_79,ind_80p,ind_inc",
}


@pytest.fixture(scope="module")
def old():
    layer = gpd.read_file(sample().qpv_2015, encoding="cp1252").set_index("CODE_QP")
    return layer.set_crs(2154, allow_override=True)


@pytest.fixture(scope="module")
def new():
    return gpd.read_file(f"zip://{sample().qpv_2024}!{LAYER_2024}").set_index("code_qp").to_crs(2154)


@pytest.fixture(scope="module")
def communes():
    return gpd.read_file(sample().communes).set_index("code").to_crs(2154)


@pytest.fixture(scope="module", params=["grid_2017", "grid_2019"])
def grid(request):
    table = pd.read_csv(files()[request.param], dtype={"lcog_geo": str, "Lcog_geo": str})
    return table.rename(columns=str.lower)


@pytest.fixture(scope="module")
def addresses():
    return pd.read_csv(sample().addresses, sep=";", dtype=str, keep_default_na=False)


def text_of(name):
    path = files()[name]
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return archive.read(archive.namelist()[0]).decode()
    return path.read_text(encoding="utf-8")


def rows_of(name, separator=";"):
    return list(csv.DictReader(io.StringIO(text_of(name)), delimiter=separator))


def ring_points(layer):
    return layer.geometry.apply(shapely.get_num_coordinates)


@pytest.mark.skipif(not SCRIPT.is_file(), reason="the generator is not part of the installed package")
def test_generator_gives_the_embedded_bytes(tmp_path):
    subprocess.run([sys.executable, str(SCRIPT), "--into", str(tmp_path)], check=True, capture_output=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    embedded = {path.name: path.read_bytes() for path in sample().path.iterdir() if path.name != "README.md"}
    assert sorted(made) == sorted(embedded)
    assert [name for name in made if made[name] != embedded[name]] == []


def test_every_file_has_a_name_and_every_name_a_file():
    inside = {path.name for path in sample().path.iterdir()} - {"README.md"}
    assert {path.name for path in files().values()} == inside


def test_wheel_budget():
    packed = sum(len(zlib.compress(path.read_bytes())) for path in sample().path.iterdir())
    assert packed < WHEEL_BUDGET


def test_readme_says_that_all_is_fictional():
    assert FICTIONAL in (sample().path / "README.md").read_text(encoding="utf-8")


def test_the_place_is_open_sea(communes):
    west, south, east, north = communes.to_crs(4326).total_bounds
    assert -3.75 < west < east < -3.4
    assert 45.9 < south < north < 46.1


@pytest.mark.parametrize("name", HEADERS)
def test_header_is_the_published_one(name):
    assert text_of(name).splitlines()[0] == HEADERS[name]


def test_correspondence_has_a_mark_and_a_padded_header():
    raw = sample().correspondence.read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    names = raw.decode("utf-8-sig").splitlines()[0].split(";")
    wanted = "QP2024;Label_QP2024;Statut;QP2015_1;Label_QP2015_1;QP2015_2;Label_QP2015_2;QP2015_3;Label_QP2015_3"
    assert ";".join(name.strip() for name in names) == wanted
    assert any(name != name.strip() for name in names)


def test_shapefile_members_and_encoding():
    with zipfile.ZipFile(sample().qpv_2015) as archive:
        assert sorted(archive.namelist()) == [f"QP_METROPOLE_LB93.{end}" for end in ("dbf", "prj", "shp", "shx")]
        table = archive.read("QP_METROPOLE_LB93.dbf")
    assert table[29] == 0x57
    assert b"Grand Hunier \x96 Cap Nord" in table
    assert "L'Écoute".encode("cp1252") in table


def test_shapefile_coordinate_system_is_lambert_93():
    assert gpd.read_file(sample().qpv_2015, encoding="cp1252").crs.to_epsg() == 2154


def test_geojson_member_and_properties():
    with zipfile.ZipFile(sample().qpv_2024) as archive:
        assert archive.namelist() == [LAYER_2024]
        layer = json.loads(archive.read(LAYER_2024))
    assert layer["crs"]["properties"]["name"] == "urn:ogc:def:crs:OGC:1.3:CRS84"
    names = "fid code_qp lib_qp insee_reg lib_reg insee_dep lib_dep insee_com lib_com siren_epci"
    assert {" ".join(feature["properties"]) for feature in layer["features"]} == {names}


@pytest.mark.parametrize(
    ("name", "member"),
    [("grid_2017", "Filosofi2017_carreaux_200m_met.csv"), ("grid_2019", "carreaux_200m_met.csv")],
)
def test_grid_member_is_named_as_published(name, member):
    with zipfile.ZipFile(files()[name]) as archive:
        assert archive.namelist() == [member]


def test_counts(old, new, communes):
    assert (len(old), len(new), len(communes)) == (14, 16, 12)


def test_codes(old, new):
    assert list(old.index) == [f"QP0990{rank:02d}" for rank in range(1, 15)]
    assert new.index.str.fullmatch(r"QN099\d{2}[NMI]").all()
    assert new.index.is_unique


def test_qpv_are_of_a_plausible_size(old, new):
    hectares = pd.concat([old.area, new.area]) / 1e4
    assert hectares.between(8, 40).all()
    assert pd.concat([ring_points(old), ring_points(new)]).between(15, 60).all()


def test_share_of_people_in_qpv_is_plausible():
    everyone = sum(float(row["population"]) for row in rows_of("communes_table", ","))
    inside = sum(int(row["popMuniQPV"]) for row in rows_of("population_2024"))
    assert 0.12 < inside / everyone < 0.18


def test_populations_cover_the_codes(old, new):
    assert [row["qp"] for row in rows_of("population_2015")] == list(old.index)
    assert [row["codeQPV"] for row in rows_of("population_2024")] == list(new.index)


def test_parts_by_commune_sum_to_the_population_of_the_qpv():
    parts = pd.DataFrame(rows_of("population_2024_communes"))
    sums = parts["popMuniQPV"].astype(int).groupby(parts["codeQPV"]).sum().to_dict()
    assert sums == {row["codeQPV"]: int(row["popMuniQPV"]) for row in rows_of("population_2024")}


def test_people_of_a_commune_outnumber_those_of_its_qpv():
    parts = pd.DataFrame(rows_of("population_2024_communes"))
    inside = parts["popMuniQPV"].astype(int).groupby(parts["codeCom"]).sum()
    everyone = {row["code"]: float(row["population"]) for row in rows_of("communes_table", ",")}
    assert all(count < everyone[code] for code, count in inside.items())


def test_epci_sum_their_communes():
    communes = pd.DataFrame(rows_of("communes_table", ","))
    sums = communes["population"].astype(float).groupby(communes["epci"]).agg(["sum", "size"])
    for row in rows_of("epci_table", ","):
        assert (int(row["populationMunicipale"]), int(row["nb_communes"])) == tuple(sums.loc[row["code"]])


def test_commune_table_and_outlines_agree(communes):
    assert [(row["code"], row["nom"]) for row in rows_of("communes_table", ",")] == list(communes["nom"].items())


def test_communes_tile_the_island(communes):
    assert communes.is_valid.all()
    whole = communes.to_crs(2154).union_all()
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert communes.area.sum() == pytest.approx(whole.area, abs=1e-3)


def test_one_qpv_has_a_hole(old, new):
    for layer, code in ((old, "QP099001"), (new, "QN09902I")):
        holes = layer.geometry.apply(lambda shape: sum(len(part.interiors) for part in shapely.get_parts(shape)))
        assert holes[holes > 0].to_dict() == {code: 1}


def test_one_qpv_is_in_two_pieces(old, new):
    for layer, code in ((old, "QP099012"), (new, "QN09913M")):
        pieces = layer.geometry.apply(shapely.get_num_geometries)
        assert pieces[pieces > 1].to_dict() == {code: 2}


def test_one_ring_of_2015_crosses_itself(old, new):
    wrong = old.index[~old.is_valid]
    assert list(wrong) == ["QP099008"]
    assert explain_validity(old.loc["QP099008", "geometry"]).startswith("Self-intersection[188997.76")
    assert old.make_valid().area["QP099008"] == pytest.approx(189_000, abs=5000)
    assert new.is_valid.all()


def test_one_qpv_lies_in_two_communes(old, new, communes):
    for layer, code in ((old.set_geometry(old.make_valid()), "QP099007"), (new, "QN09908I")):
        pieces = gpd.overlay(layer[["geometry"]].reset_index(names="qpv"), communes[["geometry"]].reset_index())
        large = pieces[pieces.area > 10_000]
        counts = large.groupby("qpv")["code"].agg(list)
        assert counts[counts.str.len() > 1].to_dict() == {code: ["99001", "99002"]}
    assert new.loc["QN09908I", "insee_com"] == "99001, 99002"
    assert old.loc["QP099007", "COMMUNE_QP"] == "Port-Brume, Saint-Aubin-du-Large"


def test_one_qpv_oversteps_a_commune_limit_by_a_metre(old, communes):
    over = old.loc["QP099010", "geometry"].intersection(communes.loc["99011", "geometry"])
    assert 200 < over.area < 1000
    assert over.buffer(-0.6).is_empty
    assert old.loc["QP099010", "COMMUNE_QP"] == "Hautvent"


def classes_by_overlay(old, new):
    """Name each pair by plain intersections: the slow, obviously right twin."""
    pairs = {}
    for a, left in old.make_valid().items():
        for b, right in new.geometry.items():
            common = left.intersection(right).area
            if common > 100:
                pairs[a, b] = (common / left.area > 0.99, common / right.area > 0.99)
    result = {}
    for (a, b), whole in pairs.items():
        if sum(pair[0] == a for pair in pairs) > 1:
            result[a, b] = "split"
        elif sum(pair[1] == b for pair in pairs) > 1:
            result[a, b] = "merged"
        else:
            result[a, b] = {(True, True): "kept", (True, False): "grown", (False, True): "shrunk"}.get(
                whole, "reshaped"
            )
    result |= {(a, None): "dropped" for a in old.index if a not in {pair[0] for pair in pairs}}
    return result | {(None, b): "new" for b in new.index if b not in {pair[1] for pair in pairs}}


def test_overlay_gives_the_ground_truth(old, new):
    assert classes_by_overlay(old, new) == CLASSES


def test_letters_say_what_happened():
    letter = {"kept": "I", "new": "N"}
    assert all(code[-1] == letter.get(name, "M") for (_, code), name in CLASSES.items() if code)


def test_kept_outlines_are_the_same_to_a_few_centimetres(old, new):
    for (a, b), name in CLASSES.items():
        if name == "kept":
            apart = old.loc[a, "geometry"].symmetric_difference(new.loc[b, "geometry"]).area
            assert apart < 0.02 * old.loc[a, "geometry"].length


def test_correspondence_lists_the_ancestors():
    table = pd.read_csv(sample().correspondence, sep=";", dtype=str, encoding="utf-8-sig")
    table.columns = table.columns.str.strip()
    listed = {
        (row[f"QP2015_{rank}"], row["QP2024"])
        for row in table.fillna("").to_dict("records")
        for rank in (1, 2, 3)
        if row[f"QP2015_{rank}"]
    }
    assert listed == {pair for pair in CLASSES if all(pair)}
    assert len(table) == 16


def test_renewal_list_holds_codes_of_2015(old):
    rows = rows_of("npnru")
    assert {row["code_qp"] for row in rows} <= set(old.index)
    assert {row["interet"] for row in rows} == {"national", "régional"}
    assert any((row["code_qp"], None) in CLASSES for row in rows)


def test_grid_has_about_two_thousand_cells(grid):
    assert 1900 <= len(grid) <= 2100
    assert grid["idcar_200m"].is_unique


def test_grid_ids_nest(grid):
    places = grid["idcar_200m"].str.extract(r"^CRS3035RES200mN(\d+)E(\d+)$").astype(int)
    assert (places % 200 == 0).all(axis=None)
    for column in ("idcar_1km", "idcar_nat"):
        square = grid[column].str.extract(r"^CRS3035RES(\d+)mN(\d+)E(\d+)$").astype(int)
        size = square[0].to_numpy()[:, None]
        assert (places.to_numpy() // size * size == square[[1, 2]].to_numpy()).all()


def test_grid_ages_and_dwellings_sum(grid):
    ages = grid.filter(regex=r"^ind_(\d|inc)").sum(axis=1)
    np.testing.assert_allclose(ages, grid["ind"], atol=1e-6)
    np.testing.assert_allclose(grid.filter(regex=r"^log_(av|4|7|ap|inc)").sum(axis=1), grid["men"], atol=1e-6)
    np.testing.assert_allclose(grid["men_coll"] + grid["men_mais"], grid["men"], atol=1e-6)


def test_grid_counts_stay_within_their_wholes(grid):
    assert (grid["men"] <= grid["ind"]).all()
    assert (grid["men_pauv"] <= 0.8 * grid["men"] + 1e-9).all()
    assert (grid["men_1ind"] + grid["men_5ind"] <= grid["men"] + 1e-9).all()
    for column in ("men_prop", "men_fmp", "log_soc"):
        assert (grid[column] <= grid["men"]).all()
    assert (grid["ind_snv"] / grid["ind"]).between(9000, 40_000).all()


def test_grid_hides_cells_under_eleven_households(grid):
    hidden = grid["i_est_200"] == 1
    assert (grid.loc[hidden, "men"] < 11).all()
    assert (grid.loc[~hidden, "men"] >= 11).all()
    assert (grid.loc[hidden, "men"] % 1 != 0).any()
    assert (grid.loc[~hidden, ["ind", "men", "men_pauv"]] % 1 == 0).all(axis=None)


def test_grid_natural_squares_hold_eleven_households(grid):
    assert (grid.groupby("idcar_nat")["men"].sum() >= 11).all()
    sizes = grid.groupby("idcar_nat")["idcar_200m"].size()
    assert (sizes[sizes.index.str.contains("RES200m")] == 1).all()


def test_grid_cells_at_a_limit_name_every_commune(grid, communes):
    lengths = grid["lcog_geo"].str.len()
    assert set(lengths) == {5, 10, 15}
    codes = {code[start : start + 5] for code in grid["lcog_geo"] for start in range(0, len(code), 5)}
    assert codes == set(communes.index)


def test_grid_is_poorer_and_denser_in_qpv(grid, new):
    corners = grid["idcar_200m"].str.extract(r"N(\d+)E(\d+)").astype(int)
    middles = gpd.GeoSeries(gpd.points_from_xy(corners[1] + 100, corners[0] + 100), crs=3035).to_crs(2154)
    inside = middles.within(new.union_all()).to_numpy()
    sums = grid.groupby(inside)[["ind", "ind_snv", "men", "men_pauv"]].sum()
    assert sums["ind"][True] / inside.sum() > 3 * sums["ind"][False] / (~inside).sum()
    assert sums["ind_snv"][True] / sums["ind"][True] < 0.8 * sums["ind_snv"][False] / sums["ind"][False]
    assert sums["men_pauv"][True] / sums["men"][True] > 2 * sums["men_pauv"][False] / sums["men"][False]


def test_grid_counts_fewer_people_than_the_census(grid):
    census = sum(float(row["population"]) for row in rows_of("communes_table", ","))
    assert 0.9 < grid["ind"].sum() / census < 0.97


def test_addresses_and_their_faults(addresses):
    assert 3000 <= len(addresses) <= 4000
    lost = addresses["lon"] == ""
    swapped = pd.to_numeric(addresses["lon"]) > 40
    assert (int(lost.sum()), int(swapped.sum()), int(addresses.duplicated().sum())) == (6, 4, 1)
    assert int(addresses["id"].duplicated().sum()) == 1


def test_address_coordinates_agree(addresses):
    sound = addresses[(addresses["x"] != "") & (pd.to_numeric(addresses["lon"]) < 40)]
    degrees = gpd.GeoSeries(gpd.points_from_xy(sound["lon"].astype(float), sound["lat"].astype(float)), crs=4326)
    metres = gpd.GeoSeries(gpd.points_from_xy(sound["x"].astype(float), sound["y"].astype(float)), crs=2154)
    assert degrees.to_crs(2154).distance(metres).max() < 0.15


def test_address_communes_are_those_of_the_outlines(addresses, communes):
    sound = addresses[addresses["x"] != ""]
    places = gpd.points_from_xy(sound["x"].astype(float), sound["y"].astype(float))
    for code, rows in sound.assign(place=places).groupby("code_insee"):
        assert shapely.dwithin(np.asarray(rows["place"]), communes.loc[code, "geometry"], 0.05).all()


def test_addresses_lie_in_every_band(addresses, new):
    sound = addresses[addresses["x"] != ""]
    places = gpd.GeoSeries(gpd.points_from_xy(sound["x"].astype(float), sound["y"].astype(float)), crs=2154)
    distance = places.distance(new.union_all())
    counts = [
        int(distance.between(low, high, inclusive="right").sum()) for low, high in ((-1, 0), (0, 300), (300, 500))
    ]
    assert min(counts) > 100
    assert int((distance > 500).sum()) > 100


def buildings():
    return gpd.read_file(sample().footprints).to_crs(2154)


def test_buildings_have_no_answers_in_the_file():
    assert list(buildings().columns) == ["id", "usage", "programme", "geometry"]


@pytest.mark.parametrize("renewed", [True, False])
def test_buildings_meet_every_case_of_the_distances(old, renewed):
    codes = {row["code_qp"] for row in rows_of("npnru")}
    zone = old.set_geometry(old.make_valid())[old.index.isin(codes) == renewed].union_all()
    near = buildings().geometry.distance(zone)
    far = buildings().geometry.apply(
        lambda shape: max(shapely.Point(p).distance(zone) for p in shapely.get_coordinates(shape))
    )
    cases = {
        "inside": far == 0,
        "astride the limit": (near == 0) & (far > 0),
        "within 300 m": (near > 0) & (far <= 300),
        "astride 300 m": (near < 300) & (far > 300) & (far <= 500),
        "between 300 and 500 m": (near > 300) & (far <= 500),
        "astride 500 m": (near > 300) & (near < 500) & (far > 500),
        "beyond": near > 500,
    }
    assert [name for name, found in cases.items() if not found.any()] == []


def test_floods_are_valid_and_do_not_overlap():
    floods = gpd.read_file(sample().floods).to_crs(2154)
    assert floods.is_valid.all()
    assert set(floods["alea"]) == {"Faible", "Moyen", "Fort"}
    assert floods.area.sum() == pytest.approx(floods.union_all().area, abs=1.0)


def test_floods_reach_some_qpv_only(new):
    floods = gpd.read_file(sample().floods).to_crs(2154).union_all()
    reached = new.intersection(floods).area / new.area
    assert 3 <= int((reached > 0.05).sum()) <= 8
    assert int((reached == 0).sum()) >= 6


def test_it_prints_its_folder_once_and_a_line_for_each_file():
    first, *rest = repr(sample()).splitlines()
    assert first == f"Sample in {sample().path}"
    assert [line.split() for line in rest if "adresses" in line] == [["addresses", "adresses-99.csv.gz"]]
