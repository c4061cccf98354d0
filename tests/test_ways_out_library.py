"""Ways out of functions of the library that need an input of their own: each is taken on what raised it."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import pytest
import shapely
from tests.builders import refused
from tests.test_ways_out_taken import LILLE, POINT, cog, made, text

import qpvgeo as qg
from qpvgeo import designation, geographies, indicators, maps, policy, published
from qpvgeo.geographies.official_ancestors import audit_correspondence
from qpvgeo.geometry.insee_lattice import Lattice
from qpvgeo.geometry.projection import to_metric
from qpvgeo.indicators.series import compare
from qpvgeo.policy.contracts import contrat_de_ville
from qpvgeo.population.boundary_profiles import boundary_profile

SITE = 'ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'
CELLS = ["CRS3035RES200mN2029800E4252400", "CRS3035RES200mN2029800E4252600"]
EVENTS = "MOD,DATE_EFF,TYPECOM_AV,COM_AV,LIBELLE_AV,TYPECOM_AP,COM_AP,LIBELLE_AP\n"
ONE_EVENT = EVENTS + "32,2025-06-01,COM,01002,Bois,COM,01001,Ambre\n"


def walk():
    return qg.crosswalk(made().old, made().new)


def numbers():
    return made().old["name"].map(len)


def events(folder):
    return text(folder, ONE_EVENT, "v_mvt_commune_2026.csv")


def passage(**given):
    return geographies.commune_passage(2025, 2026, **given)


def two(folder, children=2):
    return text(folder, f"idcar_200m;ind;ind_0_3\n{CELLS[0]};5;{children}\n{CELLS[1]};6;3\n", "cells.csv")


def of_2010(folder):
    """Cells of 2010 and the rectangles that they lie in, each in a folder of its own."""
    cells = pd.DataFrame({"id": ["a", "b"], "idinspire": CELLS, "idk": ["K1", "K1"], "ind_c": [5.0, 6.0]})
    cells["nbcar"] = 1
    rectangles = pd.DataFrame({"idk": ["K1"], "men": [4.0], "ind_r": [11.0], "men_surf": [1.0], "ind_srf": [200.0]})
    found = []
    for name, table in (("car_m", cells), ("rect_m", rectangles)):
        (folder / name).mkdir(exist_ok=True)
        found.append(folder / name / f"{name}.dbf")
        pyogrio.write_dataframe(table, found[-1], driver="ESRI Shapefile")
    return found


def bare(frame):
    return pd.DataFrame({"x": np.arange(len(frame), dtype=float)}, index=list(map(str, frame.index)))


def near():
    return qg.read_grid(made().sample.grid_2019, where=made().new)


def farther(error):
    epsg, metres = error.way_out.values["epsg"], float(error.way_out.values["metres"])
    grid = qg.read_grid(made().sample.grid_2019, where=made().new.to_crs(epsg).buffer(metres))
    return boundary_profile(made().new, grid)


def by_commune(grid):
    totals = made().communes["population"].rename_axis("commune")
    return qg.estimate_population(made().new, grid, method="constrained", constraint=totals)


def judged(**columns):
    units = designation.single_unit(made().grid, population=1_000_000, median=20_000.0)
    cells = designation.eligible_cells(made().grid, units, national_median=22_000.0)
    return designation.judge_perimeters(made().new, cells.assign(**columns))


def eligible(units):
    return designation.eligible_cells(made().grid, units, national_median=22_000.0)


def units_of(codes):
    return pd.DataFrame({"unit": "A", "population": 1_000_000, "median": 20_000.0}, index=list(codes))


def covered():
    return qg.coverage(made().links, by="commune", units=made().communes)


def bivariate(rows=None, columns=("share", "area_share"), draw=maps.bivariate):
    frame = covered()
    return draw(frame.iloc[:rows], made().communes, columns)


def estimated():
    return qg.estimate_population(made().new, made().grid)


def tagged(points, **options):
    return maps.tags(points, made().new, **options)


def inside():
    return made().new.representative_point()


def exposed(layer):
    return qg.exposure(made().new, layer, grid=made().grid)


def contract(**given):
    asked = {"communes": made().communes, **given}
    return contrat_de_ville("Port-Brume", made().new, made().links, **asked)


def points_of_arrow():
    points = gpd.GeoSeries([POINT], crs=4326)
    return pa.table(gpd.GeoDataFrame({"two": points}, geometry=points).to_arrow(geometry_encoding="geoarrow"))


def other_encoding(folder, encoding):
    path = folder / f"{encoding}.parquet"
    gpd.GeoDataFrame({"n": [1]}, geometry=[POINT], crs=4326).to_parquet(
        path, geometry_encoding=encoding, schema_version="1.1.0"
    )
    return path


def both_geographies():
    return pd.concat([made().old.to_crs(4326), made().new])


CASES = {
    "frames.cannot_answer_way_out": (
        lambda _: qg.coverage(made().links.assign(commune=[["99001"]] * len(made().links)), by="commune"),
        lambda *_: [qg.coverage(made().links, by="commune"), qg.check(made().new)],
    ),
    "frames.read_one_grid": (
        lambda _: qg.estimate_population(made().new, pd.concat([made().grid, made().grid])),
        lambda *_: qg.estimate_population(made().new, qg.read_grid(made().sample.grid_2019)),
    ),
    "frames.make_population": (
        lambda _: qg.summary(made().new, population="many"),
        lambda *_: [
            qg.summary(made().new, population=made().people),
            qg.summary(made().new, population=made().people["population"]),
        ],
    ),
    "frames.make_correspondence": (
        lambda _: audit_correspondence(bare(made().new), walk()),
        lambda *_: audit_correspondence(qg.read_correspondence(made().sample.correspondence), walk()),
    ),
    "frames.make_events": (
        lambda _: passage(events=bare(made().new)),
        lambda here, _: passage(events=qg.read_commune_events(events(here))),
    ),
    "frames.make_communes": (
        lambda here: passage(communes={2025: bare(made().communes), 2026: cog(here, 2026)}),
        lambda here, _: passage(communes={2025: qg.read_communes(cog(here, 2025)), 2026: cog(here, 2026)}),
    ),
    "frames.geographies_way_out": (
        lambda _: policy.programme_overlaps(joined(made().new), made().people, made().old),
        lambda *_: [
            policy.programme_overlaps(joined(made().new), made().people, made().new),
            qg.convert(numbers(), walk()),
        ],
    ),
    "frames.keep_columns": (
        lambda _: qg.estimate_population(
            made().new, qg.read_grid(made().sample.grid_2019, keep=[]), columns=["ind_0_3"]
        ),
        lambda *_: qg.estimate_population(
            made().new, qg.read_grid(made().sample.grid_2019, keep=["ind_0_3"]), columns=["ind_0_3"]
        ),
    ),
    "geographies.no_communes_way_out": (
        lambda here: passage(communes={2026: events(here)}),
        lambda here, _: passage(events=events(here), communes={2026: cog(here, 2026)}),
    ),
    "geographies.no_events_way_out": (
        lambda _: passage(),
        lambda here, _: passage(events=events(here)),
    ),
    "geographies.tables_do_not_do_way_out": (
        lambda here: passage(communes={2025: cog(here, 2025)}),
        lambda here, _: [
            passage(communes={year: cog(here, year) for year in (2025, 2026)}),
            passage(events=events(here)),
        ],
    ),
    "geographies.not_apportioned_way_out": (
        lambda _: geographies.unplaced(made().people),
        lambda *_: geographies.unplaced(qg.convert(numbers(), walk())),
    ),
    "geographies.passage_not_whole_way_out": (
        lambda _: qg.convert(numbers(), pd.concat([walk(), walk()])),
        lambda *_: qg.convert(numbers(), walk()),
    ),
    "geographies.read_first": (
        lambda _: qg.crosswalk(made().old.set_geometry(made().old.representative_point()), made().new),
        lambda *_: qg.crosswalk(qg.read_qpv(made().sample.qpv_2015), made().new),
    ),
    "geometry.check_crs": (
        lambda _: qg.overlap(made().new.geometry, gpd.GeoSeries([shapely.box(0, 0, 9, 9)], crs=2154)),
        lambda *_: qg.overlap(made().new.geometry, gpd.GeoSeries([LILLE], crs=2154).set_crs(4326, allow_override=True)),
    ),
    "geometry.give_lattice": (
        lambda _: qg.overlap_cells(made().new.geometry, "200 m"),
        lambda *_: [
            qg.overlap_cells(made().new.geometry, made().grid),
            qg.overlap_cells(made().new.geometry, Lattice(3035, 200)),
        ],
    ),
    "geometry.set_known_crs": (
        lambda _: to_metric(np.array([LILLE]), gpd.GeoSeries([LILLE], crs=SITE).crs),
        lambda *_: to_metric(
            np.array([LILLE]), gpd.GeoSeries([LILLE], crs=SITE).set_crs(4326, allow_override=True).crs
        ),
    ),
    "grid.choose_by_place": (
        lambda here: qg.read_grid(two(here), where="59350"),
        lambda here, _: [
            qg.read_grid(two(here), where=(-6, 41, 10, 52)),
            qg.read_grid(two(here), where=gpd.GeoDataFrame(geometry=[LILLE], crs=4326)),
        ],
    ),
    "grid.correct_or_leave_out": (
        lambda here: qg.read_grid(two(here, "many")),
        lambda here, _: [qg.read_grid(two(here)), qg.read_grid(two(here, "many"), keep=[])],
    ),
    "grid.give_both": (
        lambda here: qg.read_grid(of_2010(here)[0]),
        lambda here, _: qg.read_grid(of_2010(here)),
    ),
    "indicators.convert_first": (
        lambda _: compare(numbers(), made().new["name"].map(len), indicator="population", years=(2013, 2018)),
        lambda *_: compare(
            qg.convert(numbers(), walk())["name"],
            made().new["name"].map(len),
            indicator="population",
            years=(2013, 2018),
        ),
    ),
    "indicators.make_communes": (
        lambda _: qg.join_communes(made().new, made().communes.set_index("name", append=True)),
        lambda *_: qg.join_communes(made().new, qg.read_communes(made().sample.communes)),
    ),
    "indicators.read_outlines": (
        lambda _: indicators.audit_communes(made().new, qg.read_communes(made().sample.communes_table)),
        lambda *_: indicators.audit_communes(
            made().new, qg.read_communes(made().sample.communes, table=made().sample.communes_table)
        ),
    ),
    "indicators.to_numeric": (
        lambda _: compare(numbers().astype("str"), numbers(), indicator="population", years=(2013, 2018)),
        lambda *_: compare(
            pd.to_numeric(numbers().astype("str")), numbers(), indicator="population", years=(2013, 2018)
        ),
    ),
    "indicators.use_coverage": (
        lambda _: qg.summary(paris(), place="75118"),
        lambda here, _: qg.coverage(
            qg.join_communes(paris(), qg.read_communes(outlines(here, "75118"), arrondissements="keep")),
            by="commune",
            place="75118",
        ),
    ),
    "maps.bivariate_choropleth": (
        lambda _: bivariate(3),
        lambda *_: [bivariate(3, name, maps.choropleth) for name in ("share", "area_share")],
    ),
    "maps.give_two_columns": (
        lambda _: bivariate(columns="share"),
        lambda *_: bivariate(columns=("share", "area_share")),
    ),
    "maps.estimate_these": (
        lambda _: maps.estimates(estimated().rename(index="other {}".format), made().new),
        lambda *_: maps.estimates(qg.estimate_population(made().new, made().grid), made().new),
    ),
    "maps.make_estimates": (
        lambda _: maps.estimates(bare(made().new), made().new),
        lambda *_: maps.estimates(estimated(), made().new),
    ),
    "maps.give_tags": (
        lambda _: tagged(inside(), tags=qg.tag_points(inside().iloc[:2], made().new)),
        lambda *_: [tagged(inside(), tags=qg.tag_points(inside(), made().new)), tagged(inside())],
    ),
    "maps.make_coverage": (
        lambda _: maps.choropleth(covered().iloc[:0], made().communes),
        lambda *_: maps.choropleth(covered(), made().communes),
    ),
    "maps.page_give_figures": (
        lambda _: maps.page(made().new, made().communes, figures=3.5),
        lambda *_: [
            maps.page(made().new, made().communes, figures=one) for one in (made().people, estimated(), covered())
        ],
    ),
    "maps.give_its_outlines": (
        lambda here: maps.find_place("75118", paris(), cities(here)),
        lambda here, _: [
            maps.find_place("75118", paris(), qg.read_communes(outlines(here, "75118"), arrondissements="keep")),
            maps.find_place("Paris", paris(), cities(here)),
        ],
    ),
    "maps.give_members": (
        lambda here: maps.find_place("Plaine Commune", paris(), cities(here)),
        lambda here, _: maps.find_place("Plaine Commune", paris(), with_members(here)),
    ),
    "maps.draw_the_country": (
        lambda _: maps.find_place(None, territories()),
        lambda *_: maps.france(territories()),
    ),
    "policy.make_changes": (
        lambda _: contract(changes=bare(made().new)),
        lambda *_: contract(changes=policy.people_in_and_out(made().old, made().new)),
    ),
    "policy.make_joined": (
        lambda _: contract(programmes=bare(made().new)),
        lambda *_: contract(programmes=joined(made().new)),
    ),
    "policy.no_indicators_way_out": (
        lambda _: contract(indicators=pd.DataFrame({"word": ["a"]}, index=["QN09901M"])),
        lambda *_: contract(indicators=pd.DataFrame({"number": [3]}, index=["QN09901M"])),
    ),
    "population.read_farther": (
        lambda _: boundary_profile(made().new, near()),
        lambda _, error: [farther(error), boundary_profile(made().new, qg.read_grid(made().sample.grid_2019))],
    ),
    "population.read_whole_communes": (
        lambda _: by_commune(near()),
        lambda *_: by_commune(qg.read_grid(made().sample.grid_2019, where="99")),
    ),
    "published.make_intervals": (
        lambda _: published.sum_intervals(made().people),
        lambda *_: published.sum_intervals(
            published.intervals(pd.Series([100.0, 50.0]), published.Noise(deviation=5, variance=4.0))
        ),
    ),
    "resilience.far_way_out": (
        lambda _: exposed(gpd.GeoDataFrame(geometry=[shapely.box(-5.6, 46.6, -5.5, 46.7)], crs=2154)),
        lambda *_: exposed(gpd.GeoDataFrame(geometry=made().new.geometry.iloc[:1].to_numpy(), crs=4326)),
    ),
    "tagging.choose_vintage": (
        lambda _: qg.PerimeterIndex(both_geographies()).tag(3, 50),
        lambda *_: [
            qg.PerimeterIndex(both_geographies()).tag(3, 50, vintage=2024),
            qg.PerimeterIndex(both_geographies()).tag(3, 50, on="2025-03-01"),
        ],
    ),
    "tagging.name_the_geometry": (
        lambda _: qg.tag_points(points_of_arrow(), made().new),
        lambda *_: qg.tag_points(points_of_arrow(), made().new, xy="two"),
    ),
    "tagging.write_wkb": (
        lambda here: qg.tagging.tag_file(other_encoding(here, "geoarrow"), None, made().new),
        lambda here, _: qg.tagging.tag_file(other_encoding(here, "WKB"), None, made().new),
    ),
    "designation.no_income_to_judge_way_out": (
        lambda _: judged(income_eur=np.nan),
        lambda *_: judged(),
    ),
    "designation.no_common_commune_way_out": (
        lambda _: eligible(units_of(["59350"])),
        lambda *_: [
            eligible(units_of(made().communes.index)),
            eligible(designation.single_unit(made().grid, population=1_000_000, median=20_000.0)),
        ],
    ),
}


def paris():
    columns = {"vintage": 2024, "release": None, "name": ["A"], "communes": [["75118"]]}
    columns |= {"department": "75", "region": "11", "territory": "hexagone"}
    return gpd.GeoDataFrame(columns, index=["QN07501N"], geometry=[LILLE], crs=4326)


def outlines(folder, *codes):
    columns = {"insee_com": list(codes), "nom": list(codes)}
    path = folder / "communes.geojson"
    gpd.GeoDataFrame(columns, geometry=[LILLE] * len(codes), crs=4326).to_file(path)
    return path


def cities(folder):
    return qg.read_communes(outlines(folder, "75056", "93066"))


def with_members(folder):
    table = text(folder, "CODGEO;LIBGEO;EPT\n93066;Saint-Denis;200057867\n", "ept_2024.csv")
    return qg.read_communes(outlines(folder, "75056", "93066"), table=[table])


def joined(qpv):
    return qg.join_programmes(qpv, {"a": [qpv.index[0]]})


def territories():
    shapes = [LILLE, shapely.box(45.1, -12.8, 45.11, -12.79)]
    columns = {"vintage": 2024, "name": ["A", "B"]}
    return gpd.GeoDataFrame(columns, index=["QN05901N", "QN97601N"], geometry=shapes, crs=4326)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", CASES)
def test_the_way_out_is_taken_on_what_raised_it(tmp_path, key):
    before, after = CASES[key]
    error = refused(lambda: before(tmp_path))
    assert getattr(error.way_out, "key", None) == key, (error.key, error.way_out)
    assert after(tmp_path, error) is not None
