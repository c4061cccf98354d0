"""A map written to a file: PNG at 300 dots an inch, SVG and PDF with text as text."""

import os
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes

from qpvgeo.errors import UsageError
from qpvgeo.formats.atomic_write import replace, writing

__all__ = ["FORMATS", "save"]

FORMATS = (".png", ".svg", ".pdf")

_DPI = 300
_TEXT_AS_TEXT: dict[Any, Any] = {
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "svg.hashsalt": "qpvgeo",
    "text.usetex": False,
}
_UNDATED: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None},
    ".pdf": {"CreationDate": None, "ModDate": None},
}


def save(ax: Axes, path: str | os.PathLike[str], *, dpi: int = _DPI) -> Path:
    """Write the figure of some axes to a file: beside, then renamed.

    Parameters
    ----------
    ax
        What a map gives.
    path
        File that ends in `.png`, `.svg` or `.pdf`.
    dpi
        Dots an inch, of a PNG and of what is drawn as dots in the others.

    Returns
    -------
    pathlib.Path
        The file. Nothing in it depends on the day: the same map is the same bytes.

    Raises
    ------
    UsageError
        The ending is none of these, or there is no such folder.
    OutputError
        The file cannot be written there: says why.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import qpvgeo as qg
    >>> ax = qg.maps.qpv(qg.read_qpv(qg.sample().qpv_2024))
    >>> save(ax, pathlib.Path(tempfile.mkdtemp(), "map.svg")).name
    'map.svg'
    """
    target = Path(path).expanduser()
    suffix = target.suffix.lower()
    problems = []
    if suffix not in FORMATS:
        problems.append(f"{target.name} ends in none of {', '.join(FORMATS)}")
    if not target.absolute().parent.is_dir():
        problems.append(f"there is no folder {target.parent}")
    figure = ax.get_figure(root=True)
    if figure is None:
        problems.append("the axes have no figure any more")
    if problems or figure is None:
        raise UsageError("The map cannot be written.", problems=problems)
    options: dict[str, Any] = {"dpi": dpi, "bbox_inches": "tight", "pad_inches": 0.08, "metadata": _UNDATED[suffix]}
    with writing(target, way_out="Name another file, or make room."), mpl.rc_context(_TEXT_AS_TEXT):
        replace(target, lambda beside: figure.savefig(beside, format=suffix[1:], **options))
    return target
