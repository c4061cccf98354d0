"""Ten places on published files, side by side, to look at before a map is printed.

`contact_sheet.py DATA OUT.png` draws them with this version; `--before FOLDER` puts those of an earlier version beside
them, from a folder that an earlier run of this script, with that version on PYTHONPATH, filled (`--draw FOLDER`).
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt

COMMAND = [sys.executable, "-W", "ignore", "-c", "from qpvgeo.cli import main; main()", "map"]
PLACES = {
    "Lille": ["Lille"],
    "Métropole européenne de Lille": ["200093201", "--kind", "choropleth", "--by", "commune"],
    "Marseille": ["13055", "--vintage", "2015"],
    "Maubeuge Val de Sambre": ["200043396"],
    "Maubeuge Val de Sambre, changements": ["200043396", "--kind", "change"],
    "Seine-Saint-Denis": ["Seine-Saint-Denis"],
    "Paris, nord-est": ["--box", "651500,6862500,657500,6867500", "--vintage", "2015"],
    "Saint-Denis de La Réunion": ["97411"],
    "Mayotte": ["Mayotte", "--vintage", "2015"],
    "Bondy, adresses": ["93010", "--kind", "tags", "--points", "points/ban_bondy_93010.csv"],
    "France": ["--kind", "france", "--by", "department"],
}


def draw(data: Path, folder: Path) -> None:
    """Draw each place into a folder; say which could not be drawn."""
    folder.mkdir(parents=True, exist_ok=True)
    for row, (name, words) in enumerate(PLACES.items()):
        given = [str(data / word) if word.endswith(".csv") else word for word in words]
        out = folder / f"{row:02d}.png"
        ended = subprocess.run(  # noqa: S603
            [*COMMAND, *given, "--data", str(data), "--lang", "fr", "--png", str(out)],
            capture_output=True,
            text=True,
            check=False,
        )
        print(f"{name}: {'drawn' if out.exists() else ended.stderr.strip()[:300]}", flush=True)


def sheet(folders: list[Path], titles: list[str], out: Path) -> None:
    """Put the pictures of each folder in a column, a place on each row."""
    figure, axes = plt.subplots(
        len(PLACES), len(folders), figsize=(5.2 * len(folders), 3.4 * len(PLACES)), squeeze=False, layout="constrained"
    )
    for row, name in enumerate(PLACES):
        for ax, folder, title in zip(axes[row], folders, titles, strict=True):
            ax.set_axis_off()
            ax.set_title(f"{name}{title}", fontsize=8, loc="left")
            picture = folder / f"{row:02d}.png"
            if picture.exists():
                ax.imshow(plt.imread(picture), interpolation="antialiased")
            else:
                ax.text(0.5, 0.5, "could not be drawn", ha="center", va="center", fontsize=8, transform=ax.transAxes)
    figure.savefig(out, dpi=110)


def main() -> None:
    """Draw, and put the pictures together."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--draw", type=Path, help="only draw into that folder")
    parser.add_argument("--before", type=Path, help="folder of an earlier version")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        here = asked.draw or Path(folder)
        draw(asked.data.resolve(), here)
        if asked.draw is None:
            before = [asked.before] if asked.before else []
            sheet([*before, here], [*([", version 0.1.0"] if before else []), ""], asked.out)


if __name__ == "__main__":
    main()
