"""Numbers that look drawn at random and are the same everywhere, forever.

Each number is a hash of its name, so nothing depends on the order of the draws, on the platform or on the
generator of a library. No question of statistics is asked of them.
"""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["between", "number", "pick", "whole"]

T = TypeVar("T")


def number(*name: object) -> float:
    """Give the number of this name, from 0 included to 1 excluded."""
    digest = hashlib.sha256("/".join(map(str, name)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def between(low: float, high: float, *name: object) -> float:
    """Give the number of this name between two bounds."""
    return low + (high - low) * number(*name)


def whole(low: int, high: int, *name: object) -> int:
    """Give the whole number of this name, both bounds included."""
    return low + int((high - low + 1) * number(*name))


def pick(items: Sequence[T], *name: object) -> T:
    """Give one of the items."""
    return items[int(len(items) * number(*name))]
