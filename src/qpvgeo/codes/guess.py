"""What a column of codes holds: each reading with the part of the cells that fits it, and the cells that do not.

The names of columns say little (`code`, `geo`, `id`), and codes of different things look alike: `06` is a department
and a region, nine digits are a SIREN or an IRIS, a postal code has the form of a commune. Every reading is tried, on
codes as written and as `qpvgeo.codes.clean` repairs them; what fits equally well is named, not chosen from.

Forms and check digits: Insee, *code officiel géographique* and Sirene; décrets 2014-1750 and 2023-1314 for the QPV;
the EPT are those of the facts. No list of communes or of EPCI is embedded: they are given.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.codes import official
from qpvgeo.codes.readings import Fits, Given, Reading, given_lists, plausible, recognised, settled, tried_readings
from qpvgeo.errors import UsageError, judged
from qpvgeo.language import Note

__all__ = ["Guess", "guess_codes"]

_COINCIDENCE = 1e-4
"""Chance below which codes that all have a narrower reading are not taken to have it by accident."""

# probability that a code of the wider kind is valid in the narrower one too: every region has the code of a department
# (18 of 101), one number of nine digits out of ten passes the check of a SIREN, and every EPCI or EPT has a SIREN
_NARROWER = (
    ("region", "department", 0.2),
    ("siren", "iris", 0.1),
    ("epci", "iris", 0.1),
    ("epci", "siren", 0.0),
    ("ept", "siren", 0.0),
)


class Guess(NamedTuple):
    """What a column holds.

    Attributes
    ----------
    best
        Reading that fits most cells; None when none fits more than half, or when several fit equally well.
    tied
        Those that fit equally well, the first of `readings`; empty when there is one best.
    readings
        Frame indexed by `reading`, best first: see `guess_codes`.
    misfits
        Frame of the cells that are no single code as written, for the best reading, for each tied one, or, where
        there is no best, for those that fit most cells.
    missing
        Number of empty cells, `NA` and `ZZZZZZZZZ`; they count in no share.
    notes
        Sentences: how the reading was chosen, and what it was judged by.
    """

    best: str | None
    tied: tuple[str, ...]
    readings: pd.DataFrame
    misfits: pd.DataFrame
    missing: int
    notes: tuple[str, ...]


@judged
def guess_codes(values: pd.Series, *, communes: Mapping[int, Given] | None = None, epci: Given | None = None) -> Guess:
    """Tell what a column of codes holds, how well each reading fits, and which cells do not.

    Parameters
    ----------
    values
        The column: text, or numbers that a spreadsheet made of codes (`1053`, `84.0`).
    communes
        Lists of communes by year of the COG: frames of `qpvgeo.read_communes`, frames with a column `code`, or the
        codes. Without them communes are judged by their form, which postal codes, urban units and many plain numbers
        have too; with them, by the lists alone.
    epci
        List of EPCI, likewise (`qpvgeo.read_epci`). Without it an EPCI is a SIREN that starts with 20 or 24 and is
        not that of an EPT.

    Returns
    -------
    Guess
        `best`, `tied`, `readings`, `misfits`, `missing`, `notes`.

        `readings` is indexed by `reading`: `qpv 2015`, `qpv 2024`, `commune`, `commune <year>` for each list given,
        `iris`, `epci`, `ept`, `siren` (any), `department`, `region`. Its columns:

        - `count`, `share`: cells that fit once repaired, and their part (0 to 1) of those that are not missing.
        - `exact`, `exact_share`: those that are one code as written.
        - `lists`: cells that hold several codes, with separators or, for codes of one width, without
          (`qpvgeo.codes.split_list` takes them apart).
        - `n_codes`: different codes.
        - `list_share`: part of the list given that the column holds; missing where none was given.
        - `basis`: what the reading was judged by, `form`, `check digit`, `list given` or `facts`.

        Shares are missing where every cell is. `misfits` has a row per cell and reading: `row` (label), `reading`,
        `value` as written, `code` (the likely one, several separated by a comma; missing where there is none),
        `repair` (what was done: `zeros restored`, `upper case`, `spaces removed`, `decimals removed`, `short form`,
        `list`, `list without separator`, `arrondissement`) and `looks_like` (readings that a cell without a likely
        code has instead).

    Raises
    ------
    UsageError
        The values are not one column, or the lists of communes are not given by year.
    DataError
        A list given holds no codes, or what is none.

    Notes
    -----
    A narrower reading is preferred where the wider one would have it by accident less than once in ten thousand: six
    different codes or more that are all those of regions, five SIREN or more that would all be IRIS. EPCI and EPT come
    before SIREN, which all of them have. Of years whose
    lists fit equally, the one whose whole list the column holds is preferred, if there is one. Communes of
    which most lack a zero, in five departments or more, are taken for plain numbers and never best. Regions of before
    2016 are not known: their codes read as departments.

    Examples
    --------
    >>> import pandas as pd
    >>> guess = guess_codes(pd.Series(["1053", "59350", "2a004", "5935059512", "Lyon"]))
    >>> guess.best, guess.readings.loc["commune", ["share", "exact_share", "lists"]].tolist()
    ('commune', [0.8, 0.2, 1.0])
    >>> guess.misfits[["row", "value", "code", "repair"]]
       row       value          code                  repair
    0    0        1053         01053          zeros restored
    1    2       2a004         2A004              upper case
    2    3  5935059512  59350, 59512  list without separator
    3    4        Lyon           NaN                     NaN
    >>> guess_codes(pd.Series(["06", "93"])).tied
    ('department', 'region')

    >>> import qpvgeo as qg
    >>> communes = qg.read_communes(qg.sample().communes_table)
    >>> guess_codes(pd.Series(["99001", "99008"]), communes={2024: communes}).best
    'commune 2024'
    """
    if not isinstance(values, pd.Series):
        raise UsageError(Note("codes.not_a_column", kind=type(values).__name__), way_out=Note("codes.give_column"))
    tried = list(tried_readings(*given_lists(communes, epci)))
    labels, texts = _distinct(values)
    times = np.bincount(labels[labels >= 0], minlength=len(texts))
    likely = plausible(texts)
    by_kind = {kind: recognised(likely, kind) for kind in dict.fromkeys(reading.kind for reading in tried)}
    fits = {reading.name: settled(by_kind[reading.kind], reading.settle) for reading in tried}
    readings = _table(tried, fits, times)
    notes: list[str] = []
    leaders = _leaders(readings, fits, times, notes, by_list=bool(communes))
    readings = readings.loc[[*leaders, *readings.index.drop(leaders)]]
    # of a mixture, list the cells that the readings of most of them do not fit
    told = leaders or list(readings.index[(readings["count"] > 0) & (readings["count"] == readings["count"].max())])
    misfits = _misfits(values, labels, texts, {name: fits[name] for name in readings.index}, told)
    best = leaders[0] if len(leaders) == 1 else None
    return Guess(
        best=best,
        tied=() if best else tuple(leaders),
        readings=readings,
        misfits=misfits,
        missing=int((labels < 0).sum()),
        notes=(*notes, *_caveats(readings, misfits, leaders)),
    )


def _distinct(values: pd.Series) -> tuple[npt.NDArray[np.intp], pd.Series]:
    """Number of the distinct text of each cell, -1 where it is missing, and the texts."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        values = values.astype("str")
    labels, found = pd.factorize(values)
    texts = pd.Series(found).astype("str")
    held = ~texts.map(official.is_missing).to_numpy(bool)
    number = np.append(np.where(held, np.cumsum(held) - 1, -1), -1)
    return number[labels], texts[held].reset_index(drop=True)


def _table(tried: Sequence[Reading], fits: Mapping[str, Fits], times: npt.NDArray[np.intp]) -> pd.DataFrame:
    """What fits each reading, best first."""
    total = int(times.sum()) or math.nan
    rows = []
    for reading in tried:
        cells = fits[reading.name]
        held = {code for cell in cells.values() for code in cell.codes}
        count, exact, lists = (
            int(times[[row for row, cell in cells.items() if wanted(cell)]].sum())
            for wanted in (lambda _: True, lambda cell: not cell.repair, lambda cell: cell.several)
        )
        part = len(held) / len(reading.listed) if reading.listed else math.nan
        rows.append((reading.name, count, count / total, exact, exact / total, lists, len(held), part, reading.basis))
    columns = ["reading", "count", "share", "exact", "exact_share", "lists", "n_codes", "list_share", "basis"]
    # a stable sort: equals stay in the order in which they were tried
    rows.sort(key=lambda row: (-row[1], -row[3]))
    return pd.DataFrame(rows, columns=columns).set_index("reading")


def _leaders(
    readings: pd.DataFrame, fits: Mapping[str, Fits], times: npt.NDArray[np.intp], notes: list[str], *, by_list: bool
) -> list[str]:
    """Best reading, or those that fit equally well; none when nothing fits more than half."""
    # the form of a commune must not win against the lists that were given to judge by
    numbers = [name for name in readings.index if name.startswith("commune") and _look_like_numbers(fits[name], times)]
    eligible = readings.drop(index={*numbers, *(["commune"] if by_list else [])})
    eligible = eligible[eligible["share"] > 0.5]
    if eligible.empty:
        if not times.sum():
            notes.append(Note("codes.every_cell_missing"))
            return []
        first = readings[readings["count"] > 0].head(2)
        best = [Note("codes.fits_share", reading=name, share=float(share)) for name, share in first["share"].items()]
        notes.append(Note("codes.nothing_fits_best", best=best) if best else Note("codes.nothing_fits"))
        if readings.loc["commune", "share"] > 0.5:
            notes.append(Note("codes.plain_numbers") if numbers else Note("codes.in_no_list"))
        return []
    leaders = list(eligible.index[eligible["count"] == eligible["count"].max()])
    for narrow, wide, rate in _NARROWER:
        if wide in leaders and narrow in eligible.index and _is_no_accident(fits[narrow], fits[wide], rate):
            leaders = list(dict.fromkeys(narrow if one == wide else one for one in leaders))
            notes.extend([Note("codes.narrower", narrow=narrow, wide=wide)] if rate else [])
    whole = [one for one in leaders if readings.loc[one, "list_share"] == 1]
    if 0 < len(whole) < len(leaders):
        notes.append(Note("codes.whole_list", readings=whole))
        return whole
    return leaders


def _look_like_numbers(cells: Fits, times: npt.NDArray[np.intp]) -> bool:
    """Tell whether most cells lack a zero, in more departments of 01 to 09 than any territory has together."""
    lacking = {row: cell.codes[0] for row, cell in cells.items() if "zeros restored" in cell.repair}
    most = 2 * times[list(lacking)].sum() > times[list(cells)].sum()
    return bool(most) and len(set(map(official.of_commune, lacking.values()))) >= 5


def _is_no_accident(narrow: Fits, wide: Fits, rate: float) -> bool:
    """Tell whether the codes of a reading fit a narrower one more often than chance would have it."""
    # the code of a collectivity is that of its department and of its region: it tells nothing
    every = {code for cell in wide.values() for code in cell.codes if len(code) != 3}
    hits = every & {code for cell in narrow.values() for code in cell.codes}
    return bool(hits) and _coincidence(len(hits), len(every), rate) < _COINCIDENCE


def _coincidence(hits: int, of: int, rate: float) -> float:
    """Chance, at most, of that many hits or more where each comes at a rate (Chernoff's bound)."""
    seen = hits / of
    if seen <= rate:
        return 1.0
    missed = (1 - seen) * math.log((1 - seen) / (1 - rate)) if hits < of else 0.0
    return math.exp(-of * (seen * math.log(seen / rate) + missed)) if rate else 0.0


def _caveats(readings: pd.DataFrame, misfits: pd.DataFrame, leaders: Sequence[str]) -> Iterator[str]:
    """What the user must know before relying on the reading."""
    if not leaders:
        return
    name, first = leaders[0], readings.loc[leaders[0]]
    if len(leaders) > 1:
        yield Note("codes.fit_equally", readings=list(leaders))
    if first["basis"] == "form" and name in {"commune", "iris"}:
        yield Note("codes.by_form_alone", reading=name)
    zeros = misfits.loc[misfits["reading"].eq(name), "repair"].str.contains("zeros restored", na=False).sum()
    if zeros > first["count"] / 2:
        yield Note("codes.zeros_restored", reading=name)
    if first["lists"]:
        yield Note("codes.several_codes", count=int(first["lists"]))


def _misfits(
    values: pd.Series,
    labels: npt.NDArray[np.intp],
    texts: pd.Series,
    fits: Mapping[str, Fits],
    leaders: Sequence[str],
) -> pd.DataFrame:
    """Cells that are no single code as written, for each reading that leads."""
    columns = ["row", "reading", "value", "code", "repair", "looks_like"]
    frames = [pd.DataFrame(columns=columns, dtype="str")]
    for name in leaders:
        cells = fits[name]
        odd = [row for row in range(len(texts)) if row not in cells or cells[row].repair]
        told = pd.DataFrame(
            {
                "reading": name,
                "value": texts[odd],
                "code": pd.Series({row: ", ".join(cells[row].codes) for row in odd if row in cells}, dtype="str"),
                "repair": pd.Series({row: cells[row].repair for row in odd if row in cells}, dtype="str"),
                "looks_like": pd.Series({row: _instead(row, fits) for row in odd if row not in cells}, dtype="str"),
            },
            index=odd,
        )
        at = np.flatnonzero(np.isin(labels, odd))
        told = told.loc[labels[at]]
        told.insert(0, "row", values.index.to_flat_index().take(at))
        frames.append(told)
    return pd.concat(frames[1:] or frames, ignore_index=True)


def _instead(row: int, fits: Mapping[str, Fits]) -> str | None:
    """Readings that a value has, the wider ones only where no narrower one says it."""
    held = [name for name, cells in fits.items() if row in cells]
    implied = {"siren"} if {"epci", "ept"} & set(held) else set()
    if any(name.startswith("commune ") for name in held):
        implied.add("commune")
    return ", ".join(name for name in held if name not in implied) or None
