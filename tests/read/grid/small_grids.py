"""Small grids in every form that is read."""

import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import py7zr
import shapely


def cell(north, east, size=200, epsg=3035):
    return f"CRS{epsg}RES{size}mN{north}E{east}"


def content(epsg=3035, prefix="59"):
    """Six cells in the columns of 2019: one of two communes, one imputed, one without a poor household known."""
    north = [3067800, 3067800, 3068000, 3068000, 3068200, 3072000]
    east = [3817400, 3817600, 3817400, 3817600, 3817400, 3820000]
    one, two = f"{prefix}350"[:5], f"{prefix}009"[:5]
    return pd.DataFrame(
        {
            "idcar_200m": [cell(*pair, epsg=epsg) for pair in zip(north, east, strict=True)],
            "idcar_1km": [
                cell(n // 1000 * 1000, e // 1000 * 1000, 1000, epsg) for n, e in zip(north, east, strict=True)
            ],
            "i_est_200": [0, 1, 0, 0, 0, 1],
            "i_est_1km": [0, 0, 0, 0, 0, 0],
            "lcog_geo": [one, one + two, two, two, "2A004", "01004"],
            "ind": [34.0, 12.5, 100.0, 80.0, 60.0, 3.5],
            "men": [15.0, 5.5, 40.0, 31.0, 25.0, 1.5],
            "men_pauv": [3.0, 0.5, 20.0, 10.0, np.nan, 0.0],
            "ind_snv": [911455.4, 250000.0, 1500000.5, 1400000.0, 1300000.0, 80000.0],
            "men_surf": [1200.0, 500.5, 2900.0, 2500.0, 2000.0, 150.0],
            "ind_0_3": [1.0, 0.5, 8.0, 4.0, 3.0, 0.0],
        }
    )


def outlined(frame, epsg=3035, id_name="idcar_200m"):
    corner = frame[id_name].str.extract(r"RES(\d+)mN(\d+)E(\d+)").astype(int)
    squares = shapely.box(corner[2], corner[1], corner[2] + corner[0], corner[1] + corner[0])
    return gpd.GeoDataFrame(frame, geometry=squares, crs=epsg)


def to_csv(frame, folder, name="carreaux_200m_met.csv", **options):
    frame.to_csv(folder / name, index=False, **options)
    return folder / name


def to_parquet(frame, folder, name="carreaux_200m_met.parquet"):
    frame.to_parquet(folder / name)
    return folder / name


def to_gpkg(frame, folder, name="carreaux_200m_met.gpkg"):
    outlined(frame).to_file(folder / name, layer="carreaux_200m_met")
    return folder / name


def to_geoparquet(frame, folder, name="carreaux_200m_met.parquet"):
    outlined(frame).to_parquet(folder / name)
    return folder / name


def to_shapefile(frame, folder, name="carreaux_200m_met.shp"):
    outlined(frame).to_file(folder / name)
    return folder / name


def to_zip(frame, folder, name="Filosofi2021_carreaux_200m_csv.zip"):
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.write(to_csv(frame, folder), "carreaux_200m_met.csv")
    return folder / name


def to_zipped_7z(frame, folder, name="Filosofi2019_carreaux_200m_gpkg.zip"):
    with py7zr.SevenZipFile(folder / "inner.7z", "w") as archive:
        archive.write(to_gpkg(frame, folder), "carreaux_200m_met.gpkg")
    with zipfile.ZipFile(folder / name, "w") as archive:
        archive.write(folder / "inner.7z", "Filosofi2019_carreaux_200m_gpkg.7z")
    return folder / name


THREE = [to_csv, to_parquet, to_gpkg]


def notes(frame):
    return frame.attrs["qpvgeo"]["notes"]


LILLE = {
    "id": "cell_id",
    "imputed": "imputed",
    "num_people": "population",
    "mean_std_living": "living_standard_mean_eur",
    "poverty_ratio": "poverty_rate",
}
