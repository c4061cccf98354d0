"""Validators of answers: an asker that has one already is not sent it again."""

import hashlib
from collections.abc import Iterable

__all__ = ["has_tag", "tag_of"]

_LONGEST = 2_000


def tag_of(digest: str, path: str, query: bytes, lang: str, coding: bytes = b"") -> bytes:
    """Validator of an answer, which depends on the data and version (`digest`), the question and the language alone.

    Examples
    --------
    >>> tag_of("a", "/", b"q=1", "fr") == tag_of("a", "/", b"q=1", "en"), len(tag_of("a", "/", b"", "fr"))
    (False, 34)
    """
    asked = b"\n".join((digest.encode(), path.encode(), query, lang.encode(), coding))
    return b'"%s"' % hashlib.blake2b(asked, digest_size=16).hexdigest().encode()


def has_tag(headers: Iterable[tuple[bytes, bytes]], tag: bytes) -> bool:
    """Whether an asker names a validator among those it has.

    Examples
    --------
    >>> has_tag([(b"if-none-match", b'"x", W/"a"')], b'"a"'), has_tag([], b'"a"')
    (True, False)
    """
    return any(
        tag in (one.strip().removeprefix(b"W/") for one in value[:_LONGEST].split(b","))
        for name, value in headers
        if name == b"if-none-match"
    )
