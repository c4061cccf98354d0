"""What the user or the environment sets: the language, the network, where downloads go.

`QPVGEO_LANG` (`en` or `fr`), `QPVGEO_CACHE` (where downloads go), `QPVGEO_OFFLINE` (any value but empty, `0`, `false`
or `no` forbids the network); `QPVGEO_DATA` is read by `qpvgeo.sources.folders`. Nothing is read at import: every
function looks at the environment when it is called.

Examples
--------
>>> import qpvgeo as qg
>>> qg.settings.language = "fr"
>>> qg.settings.current_language()
'fr'
>>> qg.settings.language = None
"""

import os
from pathlib import Path

__all__ = ["cache_dir", "current_language", "language", "offline"]

language: str | None = None
"""Language of notes, errors, tables and maps: `"en"`, `"fr"`, or None for that of `QPVGEO_LANG`, else English."""

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


def offline() -> bool:
    """Tell whether `QPVGEO_OFFLINE` forbids downloads."""
    return os.environ.get("QPVGEO_OFFLINE", "").strip().lower() not in _NO


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
