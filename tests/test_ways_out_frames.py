"""Ways out that name the frame to give, or what makes it: each is taken on the frame that raised it."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from tests.builders import refused
from tests.test_ways_out_taken import POINT, made

import qpvgeo as qg
from qpvgeo import designation, maps, policy, published
from qpvgeo.quality.files import examine


def walk():
    return qg.crosswalk(made().old, made().new)


def bare(frame):
    """The labels alone, in a frame that nothing is known of."""
    return pd.DataFrame({"x": np.arange(len(frame), dtype=float)}, index=list(map(str, frame.index)))


def counts(value):
    return published.intervals(pd.Series([value]), published.Noise())


CASES = {
    "frames.make_qpv": (
        lambda: qg.join_communes(bare(made().new), made().communes),
        lambda: qg.join_communes(made().new, made().communes),
    ),
    "frames.read_it": (
        lambda: qg.summary(str(made().sample.qpv_2024)),
        lambda: qg.summary(qg.read_qpv(str(made().sample.qpv_2024))),
    ),
    "frames.make_grid": (
        lambda: qg.estimate_population(made().new, bare(made().grid)),
        lambda: qg.estimate_population(made().new, made().grid),
    ),
    "population.make_grid": (
        lambda: qg.estimate_population(made().new, made().grid.assign(population="many")),
        lambda: qg.estimate_population(made().new, qg.read_grid(made().sample.grid_2019)),
    ),
    "frames.make_crosswalk": (
        lambda: qg.convert(made().people["population"], bare(made().old)),
        lambda: qg.convert(made().old["name"].map(len), walk()),
    ),
    "indicators.make_links": (
        lambda: qg.coverage(bare(made().new), by="commune"),
        lambda: qg.coverage(made().links, by="commune"),
    ),
    "indicators.make_qpv": (lambda: qg.summary(bare(made().communes)), lambda: qg.summary(made().new)),
    "maps.give_layers": (
        lambda: maps.find_place("Port-Brume", bare(made().new), None),
        lambda: maps.find_place("Port-Brume", made().new, made().communes),
    ),
    "maps.take_geography": (
        lambda: maps.find_place("QP099001", made().new),
        lambda: maps.find_place("QP099001", made().old),
    ),
    "geographies.no_outlines_way_out": (
        lambda: qg.crosswalk(made().old.assign(geometry=None), made().new),
        walk,
    ),
    "geographies.weights_type_way_out": (
        lambda: qg.crosswalk(made().old, made().new, weights=3.5),
        lambda: qg.crosswalk(made().old, made().new, weights=made().grid),
    ),
    "geographies.no_shares_by_way_out": (
        lambda: qg.convert(made().old["name"].map(len), walk(), by="population"),
        lambda: qg.convert(
            made().old["name"].map(len), qg.crosswalk(made().old, made().new, weights=made().grid), by="population"
        ),
    ),
    "geographies.not_in_crosswalk_way_out": (
        lambda: qg.convert(pd.Series([1.0, 2.0], index=["QP059001", "QP059002"]), walk()),
        lambda: qg.convert(made().old["name"].map(len), walk()),
    ),
    "codes.give_read_lists": (
        lambda: qg.codes.guess_codes(pd.Series(["99001"]), communes={2024: pd.Series(["nowhere"])}),
        lambda: qg.codes.guess_codes(pd.Series(["99001"]), communes={2024: made().communes}),
    ),
    "fiscal.not_frames_way_out": (
        lambda: qg.vat_zone(3.5, made().new, on="2025-03-01"),
        lambda: qg.vat_zone(made().footprint, made().new, on="2025-03-01"),
    ),
    "fiscal.no_perimeters_by_code_way_out": (
        lambda: qg.vat_zone(made().footprint, made().new.reset_index(drop=True), on="2025-03-01"),
        lambda: qg.vat_zone(made().footprint, made().new, on="2025-03-01"),
    ),
    "tagging.give_perimeters": (
        lambda: qg.tag_points(([3.0], [50.0]), str(made().sample.qpv_2024), crs=4326),
        lambda: qg.tag_points(([3.0], [50.0]), made().new, crs=4326),
    ),
    "tagging.give_vintages": (
        lambda: qg.tag_points(([3.0], [50.0]), made().new.drop(columns="vintage").geometry, crs=4326, on="2025-03-01"),
        lambda: qg.tag_points(([3.0], [50.0]), made().new, crs=4326, on="2025-03-01"),
    ),
    "tagging.give_communes": (
        lambda: qg.tag_points(([3.0], [50.0]), made().new, crs=4326, communes=bare(made().communes)),
        lambda: qg.tag_points(([3.0], [50.0]), made().new, crs=4326, communes=made().communes),
    ),
    "tagging.set_geometry": (
        lambda: qg.tag_points(gpd.GeoDataFrame({"a": [1]}), made().new),
        lambda: qg.tag_points(gpd.GeoDataFrame({"a": gpd.GeoSeries([POINT], crs=4326)}).set_geometry("a"), made().new),
    ),
    "designation.cells_way_out": (
        lambda: designation.candidate_zones(bare(made().grid)),
        lambda: designation.candidate_zones(cells()),
    ),
    "designation.zones_way_out": (
        lambda: designation.compare_with_official(bare(made().new), made().new),
        lambda: designation.compare_with_official(designation.candidate_zones(cells()), made().new),
    ),
    "published.figures_way_out": (
        lambda: published.ledger(bare(made().new)),
        published.published_figures,
    ),
    "published.not_a_share": (
        lambda: published.ratio_intervals(counts(200.0), counts(2.0)),
        lambda: published.ratio_intervals(counts(200.0), counts(2.0), share=False),
    ),
    "policy.not_of_year_way_out": (
        lambda: policy.people_in_and_out(made().new, made().old),
        lambda: policy.people_in_and_out(made().old, made().new),
    ),
    "resilience.quantile_way_out": (
        lambda: qg.resilience.exposure(made().new, "heat", made().grid.assign(heat=1.0), quantile=0.9),
        lambda: qg.resilience.exposure(made().new, "heat", made().grid.assign(heat=1.0), above=0.5),
    ),
    "tagging.look_at_file": (
        lambda: qg.PerimeterIndex(
            made().new.assign(geometry=gpd.GeoSeries([None] * len(made().new), made().new.index, crs=4326))
        ),
        lambda: examine(made().sample.qpv_2024),
    ),
}


def cells():
    units = designation.single_unit(made().grid, population=1_000_000, median=20_000.0)
    return designation.eligible_cells(made().grid, units, national_median=22_000.0)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("key", CASES)
def test_the_frame_that_a_way_out_names_is_taken(key):
    before, after = CASES[key]
    error = refused(before)
    assert getattr(error.way_out, "key", None) == key, (error.key, error.way_out)
    assert after() is not None
