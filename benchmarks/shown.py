"""What people wait for: a map, the choropleth of the country, its page, the sheet of an EPCI, on published files.

python benchmarks/shown.py FOLDER [EPCI]

Files are read once, before anything is timed. Wall seconds say what is waited for; processor seconds what is done,
whatever else the machine does. Nothing is compared: no other tool makes these.
"""

import sys
import tempfile
import warnings
from pathlib import Path
from time import perf_counter, process_time

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt

import qpvgeo as qg

MOST = {"map of an EPCI": 2.5, "choropleth of the country": 8.0, "page of the country": 15.0, "sheet of an EPCI": 6.0}
"""Seconds that each may take."""


def calls(data, epci, folder):
    """What is timed, by name."""
    frames, before = qg.load(2024, data=data), qg.load(2015, data=data).qpv
    qpv, communes = frames.qpv, frames.communes
    coverage = qg.coverage(frames.links, by="commune", units=communes)
    place = qg.maps.find_place(epci, qpv, communes, epci=frames.epci)

    def drawn(ax, name):
        qg.maps.save(ax, folder / name)
        plt.close("all")

    return {
        "map of an EPCI": lambda: drawn(qg.maps.qpv(qpv, communes, place=place), "map.png"),
        "choropleth of the country": lambda: drawn(qg.maps.france(coverage, communes), "country.png"),
        "page of the country": lambda: qg.maps.page(
            [qpv, before], communes, figures=[frames.population, coverage]
        ).save(folder / "country.html"),
        "sheet of an EPCI": lambda: qg.report(epci, frames, before=before).save(folder / "sheet.pdf"),
    }


def main(data, epci="200043396"):
    """Time each call, the first run left out."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        for what, call in calls(data, epci, Path(name)).items():
            call()
            wall, worked = perf_counter(), process_time()
            call()
            wall, worked = perf_counter() - wall, process_time() - worked
            print(f"{what:<28}{wall:7.2f} s{worked:7.2f} core-s   at most {MOST[what]:g} s")
        size = Path(name, "country.html").stat().st_size / 1e6
        print(f"{'size of the page':<28}{size:7.2f} MB")


if __name__ == "__main__":
    main(*sys.argv[1:])
