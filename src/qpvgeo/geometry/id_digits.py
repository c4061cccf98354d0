"""Text of cell ids as Arrow holds it, and the numbers in it, eight characters at a time."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

__all__ = ["chunks_of", "texts_of", "words_at", "write_number"]

Integers = npt.NDArray[np.int64]


def chunks_of(ids: Any) -> list[pa.Array]:  # noqa: ANN401
    """Ids as Arrow text, whatever holds them; what is not text becomes text, so that it can be listed."""
    if not isinstance(ids, pa.Array | pa.ChunkedArray):
        ids = pa.array(pd.Series(ids).astype("str").array)
    if pa.types.is_string_view(ids.type):
        # old versions of pyarrow do not cast views
        ids = pa.array(ids.to_pylist(), pa.large_string())
    if not (pa.types.is_string(ids.type) or pa.types.is_large_string(ids.type)):
        ids = ids.cast(pa.large_string())
    return list(ids.chunks) if isinstance(ids, pa.ChunkedArray) else [ids]


def texts_of(chunks: list[pa.Array]) -> list[str | None]:
    """Ids as Python text."""
    return [text for chunk in chunks for text in chunk.to_pylist()]


def words_at(block: npt.NDArray[np.uint8], start: int, width: int) -> npt.NDArray[np.uint64]:
    """The eight characters at one place of every row, as little-endian integers."""
    return np.ndarray((len(block) // width,), "<u8", block, start, (width,))


def write_number(words: npt.NDArray[np.uint64], digits: int, letter: bytes, out: Integers) -> bool:
    """Write the number in the last characters of the words; False when one is not a digit or follows another letter."""
    kept = np.uint64((1 << 64) - (1 << (8 * (8 - digits))))
    before = np.uint64(0xFF << (8 * (7 - digits)))
    if not ((words & before) == np.uint64(letter[0] << (8 * (7 - digits)))).all():
        return False
    value = words & kept
    zeros = np.uint64(0x3030303030303030) & kept
    value -= zeros
    # a character above 9 shows in the high bits once 6 is added; one below 0 has borrowed and shows there too
    if (((value + (np.uint64(0x0606060606060606) & kept)) | value) & np.uint64(0xF0F0F0F0F0F0F0F0)).any():
        return False
    # pairs, then fours, then all eight digits: the first character is the most significant
    value = (value * np.uint64(10)) + (value >> np.uint64(8))
    low = (value & np.uint64(0x000000FF000000FF)) * np.uint64(0x000F424000000064)
    high = ((value >> np.uint64(16)) & np.uint64(0x000000FF000000FF)) * np.uint64(0x0000271000000001)
    out[:] = (low + high) >> np.uint64(32)
    return True
