"""What the user or the environment sets: the language, the network, where downloads go, how many threads work.

`QPVGEO_LANG` (`en` or `fr`), `QPVGEO_CACHE` (where downloads go), `QPVGEO_OFFLINE` (any value but empty, `0`, `false`
or `no` forbids the network), `QPVGEO_PROCESSED` (`0`: nothing that was read is kept to be read faster) and
`QPVGEO_THREADS` (threads of one call; `1` for services and engines with workers of their own); `QPVGEO_DATA` is read by
`qpvgeo.sources.folders`. Nothing is read at import: every function looks at the environment when it is called.

Examples
--------
>>> import qpvgeo as qg
>>> qg.settings.language = "fr"
>>> qg.settings.current_language()
'fr'
>>> qg.settings.language = None
"""

import os
from functools import cache
from pathlib import Path

__all__ = ["cache_dir", "current_language", "current_threads", "language", "offline", "processed", "threads"]

language: str | None = None
"""Language of notes, errors, tables and maps: `"en"`, `"fr"`, or None for that of `QPVGEO_LANG`, else English."""

threads: int | None = None
"""Threads of one call, from 1 on; None for `QPVGEO_THREADS`, else the processors available, four at most."""

_MOST_THREADS = 4
"""More gain nothing by default: what they work on waits for memory."""

_NO = {"", "0", "false", "no", "off"}
_LANGUAGES = ("en", "fr")


def current_language() -> str:
    """Language of notes, errors, tables and maps: `settings.language`, else `QPVGEO_LANG`, else English.

    Raises
    ------
    ValueError
        `settings.language` is not a language of qpvgeo; an unknown `QPVGEO_LANG` means English.
    """
    if language is not None:
        if language not in _LANGUAGES:
            raise ValueError(f"qpvgeo.settings.language is {language!r}: use {' or '.join(map(repr, _LANGUAGES))}")
        return language
    asked = os.environ.get("QPVGEO_LANG", "").strip().lower()[:2]
    return asked if asked in _LANGUAGES else "en"


def current_threads() -> int:
    """Threads of one call: `settings.threads`, else `QPVGEO_THREADS`, else the processors available, four at most.

    Answers do not depend on it.

    Raises
    ------
    ValueError
        `settings.threads` is not a whole number from 1 on; a `QPVGEO_THREADS` that is none counts for nothing.
    """
    if threads is not None:
        if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
            raise ValueError(f"qpvgeo.settings.threads is {threads!r}: use a whole number from 1 on, or None")
        return threads
    asked = os.environ.get("QPVGEO_THREADS", "").strip()
    return int(asked) if asked.isdecimal() and int(asked) else _processors()


@cache
def _processors() -> int:
    """Processors that this process may use, four at most."""
    held = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(held, _MOST_THREADS)


def offline() -> bool:
    """Tell whether `QPVGEO_OFFLINE` forbids downloads."""
    return os.environ.get("QPVGEO_OFFLINE", "").strip().lower() not in _NO


def processed() -> bool:
    """Tell whether what was read is kept to be read fast; `QPVGEO_PROCESSED=0` says no."""
    return (os.environ.get("QPVGEO_PROCESSED", "").strip().lower() or "1") not in _NO


def home_expanded(path: str | os.PathLike[str]) -> Path:
    """Path with `~` replaced by the home of its user; as it is where there is no such user.

    Examples
    --------
    >>> home_expanded("~nobody-of-that-name/x").name
    'x'
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111 - Path.expanduser raises for a user that is not known


def cache_dir() -> Path:
    """Folder where downloads are kept: `QPVGEO_CACHE`, else the user's cache.

    The folder is not created here.
    """
    given = os.environ.get("QPVGEO_CACHE", "").strip()
    if given:
        return home_expanded(given)
    import platformdirs  # noqa: PLC0415 - not needed when the variable is set

    return platformdirs.user_cache_path("qpvgeo")
