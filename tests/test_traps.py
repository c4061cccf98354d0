"""The traps that every service fell into, one test each, by name.

Most are tested at length beside the module that answers them; here each stands on its own, as a list to read.
"""

import zipfile

import geopandas as gpd
import pandas as pd
import py7zr
import pytest
import shapely

import qpvgeo as qg
from qpvgeo import facts
from qpvgeo.codes import official, territories
from qpvgeo.errors import DataError, UsageError
from qpvgeo.formats import archives
from qpvgeo.formats.vector_layers import settle_crs
from qpvgeo.geometry.projection import areas_m2


def square(x, y, side=500.0):
    return shapely.box(x, y, x + side, y + side)


def write_qpv(path, rows, crs=2154, **columns):
    frame = gpd.GeoDataFrame({"code_qp": list(rows), **columns}, geometry=list(rows.values()), crs=crs)
    frame.to_file(path)
    return path


def test_trap_1_the_disputed_date_of_the_journal_officiel_is_stored_as_disputed():
    decree = facts.table("decrees").set_index("id").loc["2023-1314"]
    assert (decree["signed_on"], decree["in_force_on"]) == ("2023-12-28", "2024-01-01")
    assert pd.isna(decree["journal_on"])
    assert decree["journal_disputed"] == "2023-12-29 or 2023-12-30"


def test_trap_2_the_number_1514_belongs_to_the_2015_geography():
    assert qg.geography("2023-12-31").attrs["n_qpv"] == 1514
    assert qg.geography("2024-01-01").attrs["n_qpv"] != 1514


def test_trap_3_the_number_of_qpv_depends_on_the_day():
    days = ("2023-06-30", "2024-06-30", "2025-06-30", "2026-06-30")
    assert [qg.geography(day).attrs["n_qpv"] for day in days] == [1514, 1580, 1609, 1584]


def test_trap_4_one_label_two_contents_the_release_is_told_from_the_codes(tmp_path):
    mamoudzou = square(520_000, 8_585_000)
    villages = qg.read_qpv(write_qpv(tmp_path / "a.gpkg", {"QN97601M": mamoudzou}, crs=4471))
    communes = qg.read_qpv(write_qpv(tmp_path / "b.gpkg", {"QN97651C": mamoudzou}, crs=4471))
    assert (villages["release"].item(), communes["release"].item()) == ("2025", "2026-01-15")


def test_trap_5_former_communes_are_moved_before_any_join(tmp_path):
    outlines = gpd.GeoDataFrame(
        {"code": ["01033", "01091"], "nom": ["a", "b"]},
        geometry=[square(900_000, 6_500_000), square(900_500, 6_500_000)],
        crs=2154,
    )
    outlines.to_file(tmp_path / "communes.gpkg")
    header = "code,nom,type,departement,region,zone,population,commune,chefLieu,siren,epci"
    rows = [
        "01033,a,commune-actuelle,01,84,metro,900,,,210100335,",
        "01091,b,commune-deleguee,01,84,metro,,01033,01033,,",
    ]
    (tmp_path / "cog2024_communes.csv").write_text("\n".join([header, *rows]))
    communes = qg.read_communes(tmp_path / "communes.gpkg", table=tmp_path / "cog2024_communes.csv")
    assert communes.index.tolist() == ["01033"]
    assert communes.geometry.area.item() == pytest.approx(2 * 500**2)


def test_trap_6_arrondissements_of_paris_lyon_marseille_go_by_their_commune():
    assert [official.fold_arrondissement(code) for code in ("75113", "69384", "13208")] == ["75056", "69123", "13055"]


def test_trap_7_the_siren_of_a_perimeter_of_the_grand_paris_is_that_of_an_ept():
    epts = facts.names("epts")
    assert epts["200057875"] == "Est Ensemble"
    assert "200054781" not in epts


def test_trap_8_lost_zeros_are_restored_and_told_never_a_letter_padded():
    cleaned = official.clean(pd.Series(["1053", "84.0", "2A4"]), "commune")
    assert cleaned.codes.tolist()[0] == "01053"
    assert cleaned.repairs["repair"].tolist() == ["zeros restored"]
    assert cleaned.problems["value"].tolist() == ["84.0", "2A4"]
    assert official.clean(pd.Series(["84.0"]), "region").codes.tolist() == ["84"]


def test_trap_9_cp1252_without_a_cpg_keeps_its_dash():
    names = qg.read_qpv(qg.sample().qpv_2015)["name"]
    assert names["QP099002"] == "Grand Hunier – Cap Nord"


def test_trap_10_areas_are_those_of_the_legal_projection_not_of_web_mercator():
    lille = gpd.GeoSeries([square(704_000, 7_059_000)], crs=2154)
    inflated = lille.to_crs(3857).area.item()
    assert inflated > 2 * 500**2
    assert areas_m2(lille.to_crs(3857).to_numpy(), 3857)[0] == pytest.approx(500**2, rel=1e-6)


def test_trap_10_bis_degrees_under_the_name_of_a_projection_are_read_as_degrees():
    crs, notes = settle_crs(4471, (45.05, -12.99, 45.29, -12.67), where="QP_MAYOTTE_RGM04_UTM38S.shp")
    assert crs.is_geographic
    assert len(notes) == 1


def test_trap_11_a_sliver_over_a_commune_limit_is_no_membership(tmp_path):
    path = write_qpv(tmp_path / "x.gpkg", {"QP059001": square(700_000, 7_000_000)})
    communes = gpd.GeoDataFrame(
        {"population": [1, 1]},
        geometry=[
            shapely.box(699_000, 6_999_000, 700_499, 7_001_000),
            shapely.box(700_499, 6_999_000, 702_000, 7_001_000),
        ],
        index=pd.Index(["59001", "59002"], name="code"),
        crs=2154,
    )
    assert qg.join_communes(qg.read_qpv(path), communes)["commune"].tolist() == ["59001"]


def test_trap_12_a_qpv_can_have_people_in_another_department_than_its_code_says():
    links = pd.DataFrame(
        {
            "qpv_code": ["QP062040"] * 2,
            "commune": ["62322", "59452"],
            "epci": [None] * 2,
            "ept": [None] * 2,
            "department": ["62", "59"],
            "region": ["32"] * 2,
            "area_m2": [9.0, 1.0],
            "area_share": [0.9, 0.1],
            "population": [900.0, 73.0],
            "population_share": [0.925, 0.075],
            "basis": ["published"] * 2,
        }
    )
    by_code = qg.coverage(links, by="department", denominators=2013)
    by_commune = qg.coverage(links, by="department", attribution="commune", denominators=2013)
    assert by_code["qpv_population"].to_dict() == {"62": 973.0}
    assert by_commune["qpv_population"].to_dict() == {"59": 73.0, "62": 900.0}


def test_trap_13_06_is_mayotte_as_a_region_and_the_alpes_maritimes_as_a_department():
    assert facts.names("regions")["06"] == "Mayotte"
    assert facts.names("departments")["06"] == "Alpes-Maritimes"


def test_trap_14_saint_martin_and_polynesie_have_no_share_rather_than_a_wrong_one():
    figures = qg.indicators.published_summary(2015)
    assert figures.loc[["978", "987"], "share"].isna().all()
    assert (figures.loc[["978", "987"], "population"] > 0).all()


def test_trap_16_a_zip_that_holds_a_7z_is_opened(tmp_path):
    (tmp_path / "carreaux_200m_met.csv").write_text("idcar_200m\n")
    with py7zr.SevenZipFile(tmp_path / "inner.7z", "w") as inner:
        inner.write(tmp_path / "carreaux_200m_met.csv", "carreaux_200m_met.csv")
    with zipfile.ZipFile(tmp_path / "Filosofi2019_carreaux_200m_csv.zip", "w") as outer:
        outer.write(tmp_path / "inner.7z", "inner.7z")
    assert archives.members(tmp_path / "Filosofi2019_carreaux_200m_csv.zip") == ["carreaux_200m_met.csv"]


def test_trap_17_the_last_letter_says_what_became_of_the_outline_and_nothing_else():
    told = official.classify_qpv(pd.Series(["QN07521N", "QN07501M", "QN00105I", "QN97651C"]))
    assert told["status"].tolist() == ["new", "modified", "unchanged", "whole commune"]


def test_trap_of_the_repeated_population_it_is_counted_once(tmp_path):
    rows = ["QN05901M;59001;1000", "QN05901M;59002;1000", "QN05902M;59001;500"]
    (tmp_path / "indicateurs.csv").write_text("\n".join(["codeQPV;COG;popMuniQPV", *rows]))
    assert int(qg.read_population(tmp_path / "indicateurs.csv")["population"].sum()) == 1500


def test_trap_of_the_two_vintages_they_are_never_mixed(tmp_path):
    path = write_qpv(
        tmp_path / "x.gpkg", {"QP059001": square(700_000, 7_000_000), "QN05901M": square(701_000, 7_000_000)}
    )
    with pytest.raises(UsageError, match="holds both geographies"):
        qg.read_qpv(path)


def test_trap_of_swapped_axes_it_is_named(tmp_path):
    path = write_qpv(tmp_path / "x.gpkg", {"QP059001": shapely.box(50.5, 3.0, 50.6, 3.1)}, crs=4326)
    with pytest.raises(DataError, match="Latitude and longitude are swapped"):
        qg.read_qpv(path)


def test_trap_of_the_missing_territory_a_point_at_sea_has_none():
    assert territories.of_points([0.0], [0.0]).tolist() == [None]


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        (-3.0, 45.0),
        (3.5, 42.5),
        (4.35, 50.85),
        (2.17, 41.39),
        (8.68, 50.11),
        (7.68, 45.07),
        (1.52, 42.507),
        (6.143, 46.204),
    ],
    ids=[
        "Bay of Biscay",
        "Gulf of Lion",
        "Brussels",
        "Barcelona",
        "Frankfurt",
        "Turin",
        "Andorra la Vella",
        "Geneva",
    ],
)
def test_trap_of_the_generous_box_a_point_at_sea_or_abroad_is_not_out(lon, lat):
    qpv = gpd.GeoSeries([square(700_000, 6_600_000)], index=["A"], crs=2154)
    found = qg.tag_points(([lon], [lat]), qpv, crs=4326).iloc[0]
    assert (found["state"], found["reason"]) == ("unknown", "outside France")


@pytest.mark.parametrize(
    ("territory", "lon", "lat"),
    [
        ("973", -54.05, 5.5),
        ("973", -51.83, 3.84),
        ("978", -63.05, 18.026),
        ("974", 55.15, -21.0),
        ("987", -140.0, -20.0),
    ],
    ids=["Albina", "Oiapoque", "Philipsburg", "ocean near La Réunion", "mid-Pacific"],
)
def test_trap_of_the_generous_box_overseas_a_point_at_sea_or_abroad_is_not_out(territory, lon, lat):
    inside = {"973": (-52.3, 4.9), "978": (-63.08, 18.06), "974": (55.45, -21.0), "987": (-149.5, -17.6)}[territory]
    qpv = gpd.GeoSeries([shapely.Point(inside).buffer(0.001)], index=["A"], crs=4326)
    found = qg.tag_points(([lon, inside[0]], [lat, inside[1]]), qpv, crs=4326)
    assert found["state"].tolist() == ["unknown", "in"]
    assert found["reason"][0] == "outside France"


@pytest.mark.parametrize(
    ("lon", "lat"),
    [(-54.05, 5.5), (-63.05, 18.026), (6.143, 46.204)],
    ids=["Albina", "Philipsburg", "Geneva"],
)
def test_trap_of_the_generous_box_a_building_abroad_is_not_refused_the_reduced_rate_but_unknown(lon, lat):
    square_there = gpd.GeoSeries([shapely.box(lon, lat, lon + 1e-4, lat + 1e-4)], crs=4326)
    corners = {"QN07501M": (2.35, 48.85), "QN97301M": (-52.3, 4.9), "QN97801N": (-63.08, 18.06)}
    qpv = gpd.GeoSeries({code: shapely.Point(at).buffer(0.001) for code, at in corners.items()}, crs=4326)
    found = qg.vat_zone(square_there, qpv, npnru=(), on="2025-03-01").iloc[0]
    assert pd.isna(found["eligible"])
    assert found["reason"] == "outside France"


def test_trap_of_the_fictional_island_no_real_point_is_out_of_its_perimeters_nor_it_out_of_the_real_ones():
    sample, real = qg.read_qpv(qg.sample().qpv_2024), gpd.GeoSeries([square(700_000, 6_600_000)], index=["A"], crs=2154)
    bondy = qg.tag_points(([2.48], [48.9]), sample, crs=4326).iloc[0]
    island = qg.tag_points(([-3.6], [45.97]), real, crs=4326).iloc[0]
    assert (bondy["state"], bondy["reason"]) == ("unknown", "no perimeters of this territory")
    assert (island["state"], island["reason"]) == ("unknown", "outside France")
