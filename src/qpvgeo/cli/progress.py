"""Progress on standard error, on a terminal only."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from qpvgeo import settings
from qpvgeo.language import number, term

__all__ = ["parts", "rows", "steps"]


@contextmanager
def steps(total: int) -> Iterator[Callable[[str], None]]:
    """Bar over the steps of a command; call the value with the term of the step that begins."""
    layout = "{desc} {bar:20} {elapsed}"
    with tqdm(total=total, leave=False, file=sys.stderr, disable=not sys.stderr.isatty(), bar_format=layout) as bar:

        def step(name: str) -> None:
            bar.set_description_str(term(name, settings.current_language()), refresh=False)
            bar.update()

        yield step


@contextmanager
def rows() -> Iterator[Callable[[int, float], None]]:
    """Bar over the rows of a file; call the value with the rows done and their share."""
    layout = "{bar:20} {percentage:3.0f}% {desc} {remaining}"
    with tqdm(total=1.0, leave=False, file=sys.stderr, disable=not sys.stderr.isatty(), bar_format=layout) as bar:

        def done(count: int, share: float) -> None:
            bar.set_description_str(number(count, settings.current_language()), refresh=False)
            bar.update(share - bar.n)

        yield done


@contextmanager
def parts() -> Iterator[Callable[[int, int], None]]:
    """Bar over the parts of a folder; call the value with the parts done, and all of them."""
    layout = "{bar:20} {n_fmt}/{total_fmt} {remaining}"
    with tqdm(total=1, leave=False, file=sys.stderr, disable=not sys.stderr.isatty(), bar_format=layout) as bar:

        def done(count: int, of: int) -> None:
            bar.total = of
            bar.update(count - bar.n)

        yield done
