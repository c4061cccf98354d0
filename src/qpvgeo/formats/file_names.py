"""Names of files that data give (members of archives, addresses): which of them every system can hold.

Source: Microsoft, Naming Files, Paths, and Namespaces (reserved names, signs, ends of names).
"""

import re
from pathlib import PurePosixPath

__all__ = ["is_portable", "plain"]

_SIGNS = re.compile(r'[\\/:*?"<>|\0-\x1f\ud800-\udfff]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]) *(?:\..*)?", re.IGNORECASE)
_LONGEST_BYTES = 200


def is_portable(name: str) -> bool:
    """Whether each part of a path is a name that Windows can hold too.

    Examples
    --------
    >>> is_portable("GEOJSON/qpv 2024.geojson"), is_portable("aux.csv"), is_portable("list /qpv.csv")
    (True, False, False)
    """
    return not any(
        _SIGNS.search(part) or _RESERVED.fullmatch(part) or part.endswith((".", " ")) for part in name.split("/")
    )


def plain(name: str) -> str:
    """Last part of a name, as every system takes it; the end of a long one is kept, for it says the form.

    Examples
    --------
    >>> plain("list/what?.csv"), plain("NUL.txt"), plain("trailing. ")
    ('what_.csv', '_NUL.txt', 'trailing')
    """
    last = _SIGNS.sub("_", PurePosixPath(name).name)[-_LONGEST_BYTES:].rstrip(". ")
    while len(last.encode()) > _LONGEST_BYTES:
        last = last[1:]
    return f"_{last}" if _RESERVED.fullmatch(last) or not last else last
