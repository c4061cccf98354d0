"""Perimeters from every published form: one canonical frame, nothing dropped in silence."""

import json
import zipfile

import geopandas as gpd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from tests.read.perimeter_files import about, noted

import qpvgeo as qg
from qpvgeo.errors import DataError, MissingDataError, UsageError
from qpvgeo.frames.forms import QPV_COLUMNS
from qpvgeo.quality.files import examine
from qpvgeo.read.qpv import read_qpv
from qpvgeo.samples import sample
from qpvgeo.sources.published_names import column_of

LILLE, MAMOUDZOU = (3.06, 50.62), (45.22, -12.79)


def square(at, size=0.01):
    lon, lat = at
    return shapely.box(lon, lat, lon + size, lat + size)


def write(path, rows, crs=4326, **attributes):
    """Write `{code: outline}` with the columns given, as a file that someone made."""
    frame = gpd.GeoDataFrame(
        {"code_qp": list(rows), "lib_qp": "Nom", **attributes}, geometry=list(rows.values()), crs=crs
    )
    frame.to_file(path)
    return path


def published(qpv):
    """Frame under the published names of 2024."""
    flat = qpv.reset_index().drop(columns=["vintage", "release", "territory", "department", "region"])
    flat["communes"] = flat["communes"].map(", ".join)
    return flat.rename(columns={"qpv_code": "code_qp", "name": "lib_qp", "communes": "insee_com"})


@pytest.fixture(scope="module")
def new():
    return read_qpv(sample().qpv_2024)


def test_canonical_columns_come_first_and_the_outline_last(new):
    lead = [column for column in QPV_COLUMNS if column != "geometry"]
    assert new.columns.tolist() == [*lead, "lib_reg", "lib_dep", "lib_com", "siren_epci", "geometry"]
    assert new.index.name == "qpv_code"
    assert new.loc["QN09908I", "communes"] == ["99001", "99002"]


def test_shapefile_of_2015_keeps_the_names_of_its_communes():
    old = read_qpv(sample().qpv_2015)
    assert old["communes"].isna().all()
    assert old.loc["QP099007", "commune_qp"] == "Port-Brume, Saint-Aubin-du-Large"
    assert old.loc["QP099002", "name"] == "Grand Hunier – Cap Nord"
    assert (old["vintage"].unique().tolist(), old.crs.to_epsg()) == ([2015], 2154)


def test_repairs_are_logged_and_can_be_refused():
    mended, raw = read_qpv(sample().qpv_2015), read_qpv(sample().qpv_2015, repair=False)
    assert [change["code"] for change in about(mended)["repairs"]] == ["QP099008"]
    assert about(raw)["repairs"] == []
    assert mended.is_valid.all()
    assert raw.index[~raw.is_valid].tolist() == ["QP099008"]


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "parquet", "zip of shp", "zip of parquet"])
def test_every_form_gives_the_same_frame(tmp_path, new, suffix):
    ending = suffix.removeprefix("zip of ")
    path = tmp_path / f"x.{ending}"
    flat = published(new)
    flat.to_parquet(path) if ending == "parquet" else flat.to_file(path)
    if suffix.startswith("zip"):
        with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
            for part in sorted(tmp_path.glob("x.*")):
                if part.suffix != ".zip":
                    archive.write(part, f"SHP/{part.name}")
        path = tmp_path / "x.zip"
    assert_geodataframe_equal(read_qpv(path), new, check_less_precise=ending == "geojson")


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title])
def test_column_names_in_any_case(tmp_path, new, change):
    flat = published(new)
    flat.rename(columns={name: change(name) for name in flat.columns.drop("geometry")}).to_file(tmp_path / "x.gpkg")
    assert_geodataframe_equal(read_qpv(tmp_path / "x.gpkg"), new)


def test_the_best_known_name_is_taken_first():
    assert column_of(["QP", "CODE_QP"], "qpv_code") == "CODE_QP"
    assert column_of(["nom"], "qpv_code") is None
    assert column_of(["a", "code_qp"], "qpv_code", {"a": "qpv_code"}) == "a"


def test_columns_that_someone_renamed(tmp_path, new):
    flat = published(new).rename(columns={"code_qp": "Quartier", "lib_qp": "Titre", "insee_com": "Villes"})
    flat.to_file(tmp_path / "x.gpkg")
    named = {"Quartier": "qpv_code", "Titre": "name", "Villes": "communes"}
    assert_geodataframe_equal(read_qpv(tmp_path / "x.gpkg", columns=named), new)


def test_columns_that_no_file_has_are_named(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": square(LILLE)})
    with pytest.raises(DataError, match="No file has a column Titre"):
        read_qpv(tmp_path / "x.gpkg", columns={"Titre": "name"})


def test_columns_cannot_be_given_names_that_mean_nothing(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": square(LILLE)})
    with pytest.raises(UsageError, match="cannot give the names code"):
        read_qpv(tmp_path / "x.gpkg", columns={"code_qp": "code"})


def test_a_file_without_codes_lists_the_columns_it_has(tmp_path):
    gpd.GeoDataFrame({"zone": ["quartier nord"]}, geometry=[square(LILLE)], crs=4326).to_file(tmp_path / "x.gpkg")
    with pytest.raises(DataError, match="no layer of QPV outlines") as error:
        read_qpv(tmp_path / "x.gpkg")
    assert "columns zone" in error.value.problems[0]
    assert "columns=" in error.value.way_out


def test_centroids_with_codes_are_no_perimeters(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": shapely.Point(LILLE)})
    with pytest.raises(DataError, match="no layer of QPV outlines"):
        read_qpv(tmp_path / "x.gpkg")


def test_round_trip_through_geoparquet(tmp_path, new):
    new.to_parquet(tmp_path / "x.parquet")
    again = read_qpv(tmp_path / "x.parquet")
    assert_geodataframe_equal(again, new)
    assert all(isinstance(listed, list) for listed in again["communes"])
    for key in ("source", "vintage", "release", "fictional"):
        assert about(again)[key] == about(new)[key]


def test_provenance_survives_geoparquet(tmp_path, new):
    new.to_parquet(tmp_path / "x.parquet")
    assert gpd.read_parquet(tmp_path / "x.parquet").attrs == new.attrs


def test_order_is_that_of_the_file(tmp_path, new):
    shuffled = published(new).sample(frac=1, random_state=3)
    shuffled.to_file(tmp_path / "x.gpkg")
    qpv = read_qpv(tmp_path / "x.gpkg")
    assert qpv.index.tolist() == shuffled["code_qp"].tolist()
    assert_geodataframe_equal(qpv.loc[new.index], new)


def test_both_geographies_are_refused_unless_one_is_chosen():
    both = [sample().qpv_2015, sample().qpv_2024]
    with pytest.raises(UsageError, match="both geographies") as error:
        read_qpv(both)
    assert error.value.problems == ("2015: for example QP099001", "2024: for example QN09901M")
    assert [len(read_qpv(both, vintage=year)) for year in (2015, 2024)] == [14, 16]


def test_one_geography_out_of_one_file_that_holds_both(tmp_path):
    rows = {"QP059001": square(LILLE), "QN05901N": square(LILLE), "QN97601N": square(MAMOUDZOU)}
    write(tmp_path / "x.gpkg", rows)
    old, new = (read_qpv(tmp_path / "x.gpkg", vintage=year) for year in (2015, 2024))
    assert (old.index.tolist(), old["release"].tolist()) == (["QP059001"], ["2015-08"])
    assert (len(new), set(new["release"])) == (2, {"2025"})


def test_the_wrong_vintage_is_named():
    with pytest.raises(DataError, match="QN09901M is a 2024 code") as error:
        read_qpv(sample().qpv_2024, vintage=2015)
    assert error.value.way_out == "Read it with vintage=2024."


def test_there_is_no_geography_of_2020():
    with pytest.raises(UsageError, match="no 2020 geography"):
        read_qpv(sample().qpv_2024, vintage=2020)


def test_repeated_codes_are_listed_with_their_number(tmp_path):
    gpd.GeoDataFrame({"code_qp": ["QN05901N", "QN05902N", "QN05901N"]}, geometry=[square(LILLE)] * 3, crs=4326).to_file(
        tmp_path / "x.gpkg"
    )
    with pytest.raises(DataError, match="1 code appears on several features") as error:
        read_qpv(tmp_path / "x.gpkg")
    assert error.value.problems == ("QN05901N: 2 features",)


def test_bad_codes_are_listed_with_their_row(tmp_path):
    codes_given = ["QN05901N", "QN059013", None, "QN99901N"]
    gpd.GeoDataFrame({"code_qp": codes_given}, geometry=[square(LILLE)] * 4, crs=4326).to_file(tmp_path / "x.gpkg")
    with pytest.raises(DataError, match="3 of 4 rows") as error:
        read_qpv(tmp_path / "x.gpkg")
    assert [problem.split(":")[0] for problem in error.value.problems] == ["row 1", "row 3", "row 2"]


def test_codes_are_repaired_and_noted(tmp_path):
    write(tmp_path / "x.gpkg", {" qn05901n ": square(LILLE)})
    qpv = read_qpv(tmp_path / "x.gpkg")
    assert qpv.index.tolist() == ["QN05901N"]
    assert len(noted(qpv, "read as QN05901N")) == 1


@pytest.mark.parametrize("shape", ["square", "figure of eight"])
def test_swapped_axes_are_named(tmp_path, shape):
    eight = shapely.Polygon([(3, 50), (3.1, 50.1), (3.1, 50), (3, 50.1)])
    right = {"QN05901N": square(LILLE) if shape == "square" else eight, "QN97601N": square(MAMOUDZOU)}
    turned = {code: shapely.transform(outline, lambda xy: xy[:, ::-1]) for code, outline in right.items()}
    write(tmp_path / "x.gpkg", turned)
    with pytest.raises(DataError, match="2 of 2 outlines do not lie where their codes say") as error:
        read_qpv(tmp_path / "x.gpkg")
    assert error.value.way_out == "Latitude and longitude are swapped in this file."


def test_an_outline_in_another_territory_than_its_code_is_named(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": square(LILLE), "QN97401N": square(MAMOUDZOU)})
    with pytest.raises(DataError, match="1 of 2 outlines") as error:
        read_qpv(tmp_path / "x.gpkg")
    assert error.value.problems == ("QN97401N is of 974, its outline lies in 976",)


def test_a_wrong_projection_is_named(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": shapely.box(704_000, 7_059_000, 705_000, 7_060_000)}, crs=3857)
    with pytest.raises(DataError, match="not lie where") as error:
        read_qpv(tmp_path / "x.gpkg")
    assert "EPSG:3857" in error.value.way_out


@pytest.mark.parametrize("nothing", [None, shapely.Polygon()])
def test_a_qpv_without_outline_keeps_its_row(tmp_path, nothing):
    write(tmp_path / "x.gpkg", {"QN05901N": square(LILLE), "QN05902N": nothing})
    assert read_qpv(tmp_path / "x.gpkg").geometry.isna().tolist() == [False, True]


def test_one_territory(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": square(LILLE), "QN97601N": square(MAMOUDZOU)})
    assert read_qpv(tmp_path / "x.gpkg", territory="976").index.tolist() == ["QN97601N"]


def test_a_territory_that_is_not_in_the_file_gives_no_rows(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": square(LILLE)})
    qpv = read_qpv(tmp_path / "x.gpkg", territory="974")
    assert len(qpv) == 0
    assert (about(qpv)["source"], about(qpv)["fictional"]) == ("ANCT", False)


def test_a_territory_that_does_not_exist():
    with pytest.raises(UsageError, match="no territory '20'"):
        read_qpv(sample().qpv_2024, territory="20")


def test_release_of_2025_is_told_from_the_codes_of_mayotte(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": square(LILLE), "QN97601M": square(MAMOUDZOU)})
    qpv = read_qpv(tmp_path / "x.gpkg")
    assert set(qpv["release"]) == {about(qpv)["release"]} == {"2025"}


def test_release_of_2026_is_told_from_the_codes_of_mayotte(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": square(LILLE), "QN97651C": square(MAMOUDZOU)})
    qpv = read_qpv(tmp_path / "x.gpkg")
    assert set(qpv["release"]) == {about(qpv)["release"]} == {"2026-01-15"}


def test_release_stays_unknown_without_mayotte(tmp_path):
    write(tmp_path / "x.gpkg", {"QN05901N": square(LILLE)})
    assert read_qpv(tmp_path / "x.gpkg")["release"].isna().all()


def test_erratum_of_2026_is_corrected_and_noted(tmp_path):
    rows = {"QN97654C": square(MAMOUDZOU), "QN97652C": square(MAMOUDZOU)}
    write(tmp_path / "x.gpkg", rows, insee_com=["97602", "97602"])
    qpv = read_qpv(tmp_path / "x.gpkg")
    assert qpv["communes"].to_dict() == {"QN97654C": ["97604"], "QN97652C": ["97602"]}
    assert len(noted(qpv, "97602 corrected to 97604")) == 1


def test_erratum_leaves_a_right_file_alone(tmp_path):
    write(tmp_path / "x.gpkg", {"QN97654C": square(MAMOUDZOU)}, insee_com=["97604"])
    qpv = read_qpv(tmp_path / "x.gpkg")
    assert qpv.loc["QN97654C", "communes"] == ["97604"]
    assert about(qpv)["notes"] == []


def test_lists_of_communes_whatever_separates_them(tmp_path):
    rows = {f"QN0210{rank}N": square(LILLE) for rank in range(1, 5)}
    write(tmp_path / "x.gpkg", rows, insee_com=["02571, 02691", "02571;02691", "0257102691", None])
    assert read_qpv(tmp_path / "x.gpkg")["communes"].tolist() == [["02571", "02691"]] * 3 + [None]


def test_the_number_that_gdal_gives_is_no_attribute_and_a_frame_can_be_written_to_a_geopackage(new, tmp_path):
    new.drop(columns="communes").to_file(tmp_path / "qpv.gpkg")
    assert "fid" not in new.columns


def test_codes_of_communes_that_are_none_are_told(tmp_path, new):
    flat = published(new)
    flat.loc[0, "insee_com"] = "1053, XX999"
    flat.to_file(tmp_path / "x.gpkg")
    qpv = read_qpv(tmp_path / "x.gpkg")
    assert qpv["communes"].iloc[0] == ["01053"]
    assert len(noted(qpv, "'1053' read as 01053")) == 1
    assert len(noted(qpv, "'XX999' left out")) == 1


def test_a_clip_never_takes_the_place_of_the_whole(tmp_path, new):
    part = published(new).iloc[:3]
    part.assign(geometry=part.geometry.scale(0.5, 0.5)).to_file(tmp_path / "a_clip.gpkg")
    for order in ([sample().qpv_2024, tmp_path / "a_clip.gpkg"], [tmp_path / "a_clip.gpkg", sample().qpv_2024]):
        joined = read_qpv(order)
        assert joined.geometry.geom_equals(new.geometry.sort_index()).all()
        assert len(noted(joined, "3 outlines differ")) == 1


def test_comparing_with_an_outline_that_is_missing_says_metres(tmp_path):
    rows = {"QN05901N": square(LILLE), "QN05902N": None, "QN05903N": square(LILLE, 0.02)}
    write(tmp_path / "a.gpkg", rows)
    write(tmp_path / "b.gpkg", {**rows, "QN05901N": square(LILLE, 0.02)})
    (note,) = noted(read_qpv([tmp_path / "a.gpkg", tmp_path / "b.gpkg"]), "differ")
    assert "nan" not in note


def test_files_of_two_territories_meet_in_degrees(tmp_path):
    write(tmp_path / "a.gpkg", {"QN05901N": shapely.box(704_000, 7_059_000, 705_000, 7_060_000)}, crs=2154)
    write(tmp_path / "b.gpkg", {"QN97601N": square(MAMOUDZOU)})
    joined = read_qpv([tmp_path / "a.gpkg", tmp_path / "b.gpkg"])
    assert joined.crs.to_epsg() == 4326
    assert joined["territory"].to_dict() == {"QN05901N": "hexagone", "QN97601N": "976"}
    assert about(joined)["release"] == "2025"


def test_key_of_the_catalogue_is_found_in_the_folder_given(new):
    assert_geodataframe_equal(read_qpv("qpv-2024", data=sample().path), new)


def test_key_without_data_says_how_to_get_it(tmp_path):
    with pytest.raises(MissingDataError, match="qpvgeo fetch"):
        read_qpv("qpv-2024", data=tmp_path)


def test_files_are_recorded_with_their_hash(new):
    (record,) = about(new)["files"]
    assert record["file"] == "qpv-2024-geojson.zip"
    assert len(record["sha256"]) == 64
    assert about(new)["fictional"]


@pytest.mark.parametrize("column", ["id", "CODE", "Code_du_qu", "q", "code_quartier_prioritaire", "identifiant"])
def test_codes_are_known_by_their_values(tmp_path, column):
    frame = gpd.GeoDataFrame({"rang": [1], column: ["QN05901N"]}, geometry=[square(LILLE)], crs=4326)
    frame.to_file(tmp_path / "x.gpkg")
    assert read_qpv(tmp_path / "x.gpkg").index.tolist() == ["QN05901N"]


@pytest.mark.parametrize(
    "column", ["nomQpv", "libQpv", "Nom_du_qua", "NOM_QP", "lib_quartier", "nom_quartier_prioritaire", "Quartier"]
)
def test_names_are_known(tmp_path, column):
    bare(tmp_path / "x.gpkg", **{column: ["Nord"]})
    assert read_qpv(tmp_path / "x.gpkg")["name"].tolist() == ["Nord"]


def bare(path, **attributes):
    gpd.GeoDataFrame({"code_qp": ["QN05901N"], **attributes}, geometry=[square(LILLE)], crs=4326).to_file(path)


def test_names_that_are_not_found_are_said(tmp_path):
    bare(tmp_path / "x.gpkg")
    notes = about(read_qpv(tmp_path / "x.gpkg"))["notes"]
    assert [note.values["note"].key for note in notes] == ["read.no_names"]


def test_columns_cut_to_ten_characters_by_a_shapefile(tmp_path):
    frame = gpd.GeoDataFrame(
        {"Code_du_qu": ["QN05901N"], "Nom_du_qua": ["A"], "Commune": ["Lille"], "Code_INSEE": ["59350"]},
        geometry=[square(LILLE)],
        crs=4326,
    )
    frame.to_file(tmp_path / "x.shp")
    assert read_qpv(tmp_path / "x.shp").loc["QN05901N", ["name", "communes"]].tolist() == ["A", ["59350"]]


def test_published_names_of_communes_are_kept_as_lists(tmp_path):
    write(tmp_path / "x.gpkg", {"QP059001": square(LILLE)}, COMMUNE_QP=["Lourches,  Denain, Escaudain"])
    qpv = read_qpv(tmp_path / "x.gpkg")
    assert qpv.loc["QP059001", "commune_names"] == ["Lourches", "Denain", "Escaudain"]
    assert qpv.loc["QP059001", "commune_qp"] == "Lourches,  Denain, Escaudain"
    qpv.to_parquet(tmp_path / "y.parquet")
    again = read_qpv(tmp_path / "y.parquet")
    assert again.loc["QP059001", "commune_names"] == ["Lourches", "Denain", "Escaudain"]


HEX = {"QN00401M": (923_000, 6_307_000), "QN00402M": (959_000, 6_338_000)}


def lambert(path):
    shapes = [shapely.box(x, y, x + 800, y + 900) for x, y in HEX.values()]
    features = [
        {"type": "Feature", "properties": {"code_qp": code}, "geometry": shapely.geometry.mapping(shape)}
        for code, shape in zip(HEX, shapes, strict=True)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    return path


def test_the_codes_say_which_projection_an_undeclared_file_is_in(tmp_path):
    qpv = read_qpv(lambert(tmp_path / "qpv_l93.geojson"))
    assert qpv.crs.to_epsg() == 2154
    assert "read.crs_by_codes" in {
        note.values["note"].key for note in about(qpv)["notes"] if note.key == "read.of_file"
    }


def test_the_codes_say_the_legal_projection_of_an_undeclared_file_overseas(tmp_path):
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": shapely.geometry.mapping(shape)}
        for code, shape in {
            "QN97401I": shapely.box(338_000, 7_690_000, 338_500, 7_690_400),
            "QN97402I": shapely.box(340_000, 7_690_000, 340_500, 7_690_400),
        }.items()
    ]
    path = tmp_path / "reunion.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
    assert read_qpv(path).crs.to_epsg() == 2975
    assert [(report.ok, report.kind) for report in examine(path)] == [(True, "perimeters")]


def test_a_projection_that_is_given_is_obeyed(tmp_path):
    path = lambert(tmp_path / "qpv_l93.geojson")
    assert read_qpv(path, crs=2154).crs.to_epsg() == 2154
    with pytest.raises(DataError) as caught:
        read_qpv(path, crs="EPSG:3035")
    assert caught.value.key == "read.misplaced"
    with pytest.raises(UsageError) as caught:
        read_qpv(path, crs="Lambert")
    assert caught.value.key == "formats.no_such_crs"


def test_one_layer_of_several(tmp_path):
    for name, code in (("ancien", "QP059001"), ("nouveau", "QN05901N")):
        frame = gpd.GeoDataFrame({"code_qp": [code]}, geometry=[square(LILLE)], crs=4326)
        frame.to_file(tmp_path / "x.gpkg", layer=name)
    assert read_qpv(tmp_path / "x.gpkg", layer="ancien").index.tolist() == ["QP059001"]
    with pytest.raises(DataError) as caught:
        read_qpv(tmp_path / "x.gpkg", layer="autre")
    assert caught.value.way_out.values["layers"] == ["ancien", "nouveau"]
    with pytest.raises(UsageError) as caught:
        read_qpv(tmp_path / "x.gpkg")
    assert caught.value.key == "read.both_geographies"
    assert read_qpv(tmp_path / "x.gpkg", vintage=2015).index.tolist() == ["QP059001"]


MAYOTTE = (45.2, -12.8)


def releases(folder):
    write(folder / "hexagone.gpkg", {"QN05901N": square(LILLE)})
    write(folder / "avant.gpkg", {"QN97601N": square(MAYOTTE)})
    write(folder / "apres.gpkg", {"QN97602C": square(MAYOTTE)})
    return folder


def test_releases_are_never_mixed_and_one_is_chosen(tmp_path):
    folder = releases(tmp_path)
    with pytest.raises(UsageError) as caught:
        read_qpv(folder)
    assert (caught.value.key, caught.value.message.values["releases"]) == (
        "read.several_releases",
        ["2025", "2026-01-15"],
    )
    latest = read_qpv(folder, release=caught.value.way_out.values["release"])
    assert latest.index.tolist() == ["QN05901N", "QN97602C"]
    assert latest["release"].unique().tolist() == ["2026-01-15"]
    earlier = read_qpv("qpv-2024", data=folder, release="2025")
    assert earlier.index.tolist() == ["QN05901N", "QN97601N"]
    with pytest.raises(DataError) as caught:
        read_qpv(folder, release="2024")
    assert caught.value.way_out.values["releases"] == ["2025", "2026-01-15"]


def test_a_year_is_not_a_source():
    with pytest.raises(UsageError) as caught:
        read_qpv(2024)
    key = caught.value.way_out.values["key"]
    assert len(read_qpv(key, data=sample().path)) == 16


@pytest.mark.parametrize("source", [None, 7, b"x", gpd.GeoDataFrame(), [2024], [], {}])
def test_what_is_not_a_source_is_refused(source):
    with pytest.raises(UsageError):
        read_qpv(source)


def test_attributes_print_short_and_copy_fast_and_hold_everything(tmp_path):
    codes = [f"QP059{rank:03d}" for rank in range(1, 100)]
    bow = shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)])
    shapes = [shapely.affinity.translate(bow, 700_000 + 10 * rank, 7_000_000) for rank in range(len(codes))]
    gpd.GeoDataFrame({"code_qp": codes}, geometry=shapes, crs=2154).to_file(tmp_path / "x.gpkg")
    qpv = read_qpv(tmp_path / "x.gpkg")
    assert len(str(qpv.attrs)) < 300
    whole = qg.provenance(qpv)
    assert len(whole["repairs"]) == 99
    assert len(repr(whole)) > 3000
    assert qpv.copy().attrs["qpvgeo"] is qpv.attrs["qpvgeo"]
    assert json.loads(json.dumps(qpv.attrs))["qpvgeo"] == whole


def test_ways_out_of_errors_about_perimeters_lead_out(tmp_path):
    frame = gpd.GeoDataFrame({"zone": ["QN05901N", "autre"]}, geometry=[square(LILLE)] * 2, crs=4326)
    frame.to_file(tmp_path / "x.gpkg")
    with pytest.raises(DataError) as caught:
        read_qpv(tmp_path / "x.gpkg")
    assert caught.value.way_out.key == "read.name_qpv_code"
    frame.iloc[:1].to_file(tmp_path / "y.gpkg")
    assert len(read_qpv(tmp_path / "y.gpkg", columns={"zone": "qpv_code"})) == 1
    with pytest.raises(DataError) as caught:
        read_qpv(tmp_path / "y.gpkg", vintage=2015)
    assert len(read_qpv(tmp_path / "y.gpkg", **caught.value.way_out.values)) == 1
    with pytest.raises(UsageError) as caught:
        read_qpv(tmp_path / "y.gpkg", columns={"zone": "code"})
    assert "qpv_code" in caught.value.way_out.values["names"]
