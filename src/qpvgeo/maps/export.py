"""A map written to a file: PNG at 300 dots an inch, SVG and PDF with text as text."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qpvgeo.errors import UsageError, judged
from qpvgeo.formats.atomic_write import replace, writing
from qpvgeo.language import Note
from qpvgeo.maps.furniture import PAGE_ID

__all__ = ["FORMATS", "save"]

FORMATS = (".png", ".svg", ".pdf")

_DPI = 300
_PAD_IN = 0.08
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


@judged
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
    problems: list[str] = []
    if suffix not in FORMATS:
        problems.append(Note("maps.not_a_format", file=target.name, known=list(FORMATS)))
    if not target.absolute().parent.is_dir():
        problems.append(Note("maps.no_folder", folder=str(target.parent)))
    figure = ax.get_figure(root=True)
    if figure is None:
        problems.append(Note("maps.no_figure"))
    if problems or figure is None:
        raise UsageError(Note("maps.cannot_write"), problems=problems)
    options: dict[str, Any] = {"dpi": dpi, "metadata": _UNDATED[suffix]}
    # in the other forms, words are as wide as their own writer says
    once = suffix == ".png"
    with (
        writing(target, way_out=Note("maps.name_another_file")),
        mpl.rc_context(_TEXT_AS_TEXT),
        _laid_out(figure, dpi) if once else nullcontext(),
    ):
        if figure.get_gid() != PAGE_ID:
            box = figure.get_tightbbox().padded(_PAD_IN) if once else "tight"
            options |= {"bbox_inches": box, "pad_inches": _PAD_IN}
        replace(target, lambda beside: figure.savefig(beside, format=suffix[1:], **options))
    return target


@contextmanager
def _laid_out(figure: Figure, dpi: int) -> Iterator[None]:
    """Figure whose parts have their places at a resolution: without them matplotlib draws it twice."""
    engine, before = figure.get_layout_engine(), figure.dpi
    figure.set_dpi(dpi)
    try:
        if engine is not None:
            engine.execute(figure)
            # "none" is no engine, and leaves room for what belongs to the former; None is that of the settings
            figure.set_layout_engine("none")
        yield
    finally:
        if engine is not None:
            figure.set_layout_engine(engine)
        figure.set_dpi(before)
