"""What the date of a file or a folder tells."""

import time

__all__ = ["is_settled"]

_SETTLED_S = 2.0


def is_settled(changed_ns: int) -> bool:
    """Whether a next change will have another date: that of one just made may not tell it from the next.

    Examples
    --------
    >>> is_settled(0), is_settled(time.time_ns())
    (True, False)
    """
    return time.time() - changed_ns / 1e9 > _SETTLED_S
