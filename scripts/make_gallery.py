"""Draw the pictures of docs/gallery.md: each is what `ax` is after the code above it.

python scripts/make_gallery.py [FOLDER]
"""

import re
import sys
import warnings
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt

import qpvgeo as qg

PAGE = Path(__file__).resolve().parent.parent / "docs" / "gallery.md"
DPI = 80

_PART = re.compile(r"```python\n(.*?)```|!\[[^\]]*\]\((\S+)\)", re.DOTALL)


def draw(folder: Path) -> list[Path]:
    """Run the page and write its pictures under a folder."""
    names: dict[str, object] = {}
    written = []
    for code, picture in _PART.findall(PAGE.read_text(encoding="utf-8")):
        if code:
            exec(compile(code, PAGE.name, "exec"), names)  # noqa: S102 - the page is ours
            continue
        target = folder / picture
        target.parent.mkdir(parents=True, exist_ok=True)
        written.append(qg.maps.save(names["ax"], target, dpi=DPI))  # type: ignore[arg-type]
        plt.close("all")
    return written


if __name__ == "__main__":
    warnings.simplefilter("error")
    for path in draw(Path(sys.argv[1]) if len(sys.argv) > 1 else PAGE.parent):
        print(path)
