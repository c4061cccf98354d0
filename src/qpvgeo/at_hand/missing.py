"""Download of what is missing, where that is allowed: `qpvgeo.load(fetch=True)`, and `--fetch` of the commands.

Nothing is downloaded outside `fetching`: the readers of `at_hand` ask for each file before they look for it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from qpvgeo.errors import QpvgeoError, judged
from qpvgeo.samples import sample
from qpvgeo.sources import file_sets, recognise
from qpvgeo.sources.file_content import Kind

__all__ = ["bring", "fetching"]

_ALLOWED: ContextVar[bool] = ContextVar("qpvgeo_fetching", default=False)

_NEEDED = {"perimeters", "communes", "grid"}
"""Kinds without which nothing can be answered; without the others, columns are missing."""


@contextmanager
@judged
def fetching(*, allowed: bool = True) -> Iterator[None]:
    """Download what is missing as long as the context lasts.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> with fetching():
    ...     bring("perimeters", 2024, qg.sample().path)  # the sample is never completed
    """
    before = _ALLOWED.set(allowed)
    try:
        yield
    finally:
        _ALLOWED.reset(before)


def bring(kind: Kind, vintage: int | None, data: Path | None) -> None:
    """Download the files of a kind and geography that are not there; nothing outside `fetching`.

    Raises
    ------
    FetchError
        Perimeters, outlines of communes or a grid cannot be had; what else is missing stays so.
    """
    if not _ALLOWED.get() or (data is not None and data.resolve() == sample().path.resolve()):
        return
    if any(one.basis != "choice" for one in recognise.of_kind(kind, data, vintage)):
        return
    from qpvgeo.sources import download  # noqa: PLC0415 - what asks the network is not needed without it

    refused: list[QpvgeoError] = []
    absent: set[str] = set()
    for key in file_sets.of_kind(kind, vintage):
        try:
            download.fetch_among(key, data=data, absent=absent)
        except QpvgeoError as error:
            refused.append(error)
        else:
            return
    if refused and kind in _NEEDED:
        raise refused[0]
