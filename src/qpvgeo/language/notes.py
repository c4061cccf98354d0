"""Notes and messages as data: a key and its values, worded once in English and once in French.

A note never needs to be read back: programs look at `key` and `values`, people read the sentence. The sentences are in
`phrases/`, one table a package: `key,english,french`. In a sentence a value stands in braces, with how to write it:

- `{count}`: a whole number with its thousands set apart; a list of names joined with commas and a final "and"; any
  other value as it is (a term of the glossary in the language of the sentence);
- `{rate:.1%}`: a share; `{area:.2}`: a number with two decimals; `{length:m}`: metres or kilometres;
- `{threshold:g}`: a number with the decimals that it needs, two at most from 1 on;
- `{year:raw}`: as it is, without thousands;
- `{names:or}`: a list of which one suffices;
- `{count|perimeter|perimeters}`: the word for one, or for several.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from numbers import Integral, Real
from typing import Any, Self

from qpvgeo import settings
from qpvgeo.language.numbers import figures, number, share, typeset
from qpvgeo.language.terms import metres, term

__all__ = ["Note", "joined", "keys", "listed", "parts", "say"]

_FIELD = re.compile(r"\{(\w+)(?:(:[^{}|]*)|\|([^{}|]*)\|([^{}|]*))?\}")
_MOST_LISTED = 8
_AND = {"en": " and ", "fr": " et "}
_OR = {"en": " or ", "fr": " ou "}
_AND_ALSO = "language.and_also"
_MORE = {"en": "{} others", "fr": "{} autres"}


@cache
def _templates(package: str) -> dict[str, dict[str, str]]:
    """Phrases of a package, whose keys start with its name; none where it has no table."""
    table = files("qpvgeo.language").joinpath("phrases", f"{package}.csv")
    found: dict[str, dict[str, str]] = {}
    for row in csv.DictReader(table.read_text(encoding="utf-8").splitlines()) if table.is_file() else ():
        if row["key"] in found or row["key"].partition(".")[0] != package:
            raise KeyError(f"the phrase {row['key']!r} appears twice, or is not one of {package}.csv")
        found[row["key"]] = {"en": row["english"], "fr": typeset(row["french"])}
    return found


def keys() -> dict[str, dict[str, str]]:
    """Every phrase known: its key, and its template in each language."""
    tables = sorted(table.name for table in files("qpvgeo.language").joinpath("phrases").iterdir())
    return {key: said for name in tables for key, said in _templates(name.removesuffix(".csv")).items()}


def listed(names: Iterable[object], lang: str, *, most: int = _MOST_LISTED, either: bool = False) -> str:
    """Join names: all of them where they are few, else the first and how many others; by "or" where one suffices.

    Examples
    --------
    >>> listed(["Ain", "Aisne", "Allier"], "fr"), listed(range(9), "en", most=2)
    ('Ain, Aisne et Allier', '0, 1 and 7 others')
    >>> listed(["a.csv", "a.xlsx"], "en", either=True)
    'a.csv or a.xlsx'
    """
    texts = [_written(name, "raw" if isinstance(name, Integral) else "", lang) for name in names]
    if len(texts) > most + 1:
        texts = [*texts[:most], _MORE[lang].format(number(len(texts) - most, lang))]
    return (
        (_OR if either else _AND)[lang].join([", ".join(texts[:-1]), texts[-1]]) if len(texts) > 1 else "".join(texts)
    )


def _written(value: object, form: str, lang: str) -> str:
    """A value as the sentence shows it."""
    if isinstance(value, str):
        return value.say(lang) if isinstance(value, Note) else value if form == "raw" else term(value, lang)
    if isinstance(value, Iterable):
        return listed(value, lang, either=form == "or")
    if form == "raw" or isinstance(value, bool) or not isinstance(value, Real):
        return str(value)
    if form in ("m", "g"):
        return (metres if form == "m" else figures)(float(value), lang)
    if form.endswith("%"):
        return share(float(value), lang, int(form.strip(".%") or 0))
    return number(float(value), lang, int(form.lstrip(".") or 0))


def say(key: str, values: Mapping[str, Any], lang: str) -> str:
    """Word a phrase in a language.

    Raises
    ------
    KeyError
        There is no such phrase, or a value that it shows is missing.
    """

    def field(found: re.Match[str]) -> str:
        value = values[found[1]]
        if found[3] is not None:
            count = float(value) if isinstance(value, Real) else len(value)
            return found[4] if (count >= 2 if lang == "fr" else count != 1) else found[3]
        return _written(value, (found[2] or ":")[1:], lang)

    return _FIELD.sub(field, _templates(key.partition(".")[0])[key][lang])


class Note(str):  # noqa: SLOT000 - it carries its key and values
    """A sentence that knows its key and values, and says itself in either language.

    As text it is the sentence in the language of `qpvgeo.settings` when it was made, so it prints, joins and goes
    into JSON like any other text.

    Parameters
    ----------
    key
        Key of the phrase, `package.what_it_says`.
    **values
        What the phrase shows: numbers, texts, lists, other notes. Plain values, so that they go into JSON.

    Attributes
    ----------
    key : str
        Key of the phrase.
    values : dict
        Values by name.

    Examples
    --------
    >>> note = Note("frames.several_rows", label="QP001001", count=2)
    >>> note, note.key, note.values["count"]
    ('QP001001 appears 2 times', 'frames.several_rows', 2)
    >>> note.say("fr")
    'QP001001 figure 2 fois'
    """

    key: str
    values: dict[str, Any]

    def __new__(cls, key: str, /, **values: Any) -> Self:  # noqa: ANN401 - whatever the phrase shows
        """Word the note in the current language."""
        self = super().__new__(cls, say(key, values, settings.current_language()))
        self.key, self.values = key, values
        return self

    def say(self, lang: str | None = None) -> str:
        """Give the sentence in a language, that of `qpvgeo.settings` by default."""
        return say(self.key, self.values, lang or settings.current_language())

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self  # as any text: pandas copies the notes of a frame with each column taken from it

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.key, self.values)


def _restored(key: str, values: dict[str, Any]) -> Note:
    return Note(key, **values)


def joined(notes: Iterable[str]) -> str:
    r"""Join notes into one, each once, in their order; an empty text where there is none.

    Examples
    --------
    >>> once = Note("frames.several_rows", label="a", count=2)
    >>> joined([once, once]) == once, joined([])
    (True, '')
    >>> both = joined([once, Note("frames.several_rows", label="b", count=3)])
    >>> both, both.say("fr"), len(parts(both))
    ('a appears 2 times; b appears 3 times', 'a figure 2 fois\u202f; b figure 3 fois', 2)
    """
    several = [note for note in dict.fromkeys(notes) if note]
    if len(several) < 2:
        return several[0] if several else ""
    return Note(_AND_ALSO, first=several[0], then=joined(several[1:]))


def parts(note: str) -> list[str]:
    """Split what `joined` made into its notes.

    Examples
    --------
    >>> parts(""), parts("plain text")
    ([], ['plain text'])
    """
    if isinstance(note, Note) and note.key == _AND_ALSO:
        return [note.values["first"], *parts(note.values["then"])]
    return [note] if note else []
