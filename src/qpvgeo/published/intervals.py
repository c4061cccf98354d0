"""What published figures can be, once they were rounded, hidden or perturbed: intervals, through sums and ratios.

Three protections are known. **Rounding**: the true value is within half of a step. **Secrecy**: a count below a
threshold is not given, and lies between 0 and it. **Perturbation** (cell-key method, Insee's counts of the 2024
geography): a whole number between -D and D, of mean zero and variance V, was added to each count. The first two give
sure bounds; the third
gives bounds that hold at a stated rate, from the distribution of greatest entropy on -D..D with variance V, as the
method takes it: ``P(k) = exp(-a k²) / sum(exp(-a j²))``, with the ``a`` that gives V. The noises of several counts
are independent, so that of a sum is their convolution. Insee does not publish D and V: they are the caller's to state.

Sources: Insee, "QPV : une nouvelle méthode de protection du secret statistique" (blog.insee.fr); Giessing (2016),
doi:10.1007/978-3-319-45381-1_18; the R packages ptable and cellKey.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from qpvgeo.errors import DataError, UsageError, judged
from qpvgeo.language import Note

__all__ = ["INTERVAL_COLUMNS", "Noise", "intervals", "noise_law", "ratio_intervals", "sum_intervals", "with_intervals"]

Floats = npt.NDArray[np.float64]

INTERVAL_COLUMNS = ("value", "low", "high", "unperturbed_low", "unperturbed_high", "perturbed")

_KEY = "qpvgeo_noise"
_MOST_CONVOLVED = 20_000


@dataclass(frozen=True, slots=True)
class Noise:
    """How a column of figures was protected before it was published.

    Attributes
    ----------
    rounding
        Step that values were rounded to, in their unit (0.1 for "7.9 %", 1 for whole numbers); 0 for none.
    hidden_below
        Counts below it are not given; None where nothing is hidden. A missing value then lies between 0 and one less.
    deviation
        Greatest perturbation of a count (D); 0 for none.
    variance
        Variance of the perturbation (V); None leaves only the sure bounds, D on each side.

    Examples
    --------
    >>> Noise(rounding=0.1)
    Noise(rounding=0.1, hidden_below=None, deviation=0, variance=None)
    """

    rounding: float = 0.0
    hidden_below: float | None = None
    deviation: int = 0
    variance: float | None = None

    def __post_init__(self) -> None:
        wrong = []
        if not (math.isfinite(self.rounding) and self.rounding >= 0):
            wrong.append(Note("published.noise_negative", name="rounding", value=repr(self.rounding)))
        if self.hidden_below is not None and not self.hidden_below > 0:
            wrong.append(Note("published.noise_negative", name="hidden_below", value=repr(self.hidden_below)))
        if self.deviation < 0 or self.deviation != int(self.deviation):
            wrong.append(Note("published.noise_negative", name="deviation", value=repr(self.deviation)))
        if self.variance is not None and not 0 < self.variance < max(self.deviation, 0) ** 2:
            wrong.append(Note("published.noise_variance", value=repr(self.variance), most=self.deviation**2))
        if wrong:
            raise UsageError(Note("published.bad_noise"), problems=wrong)


def noise_law(deviation: int, variance: float) -> Floats:
    """Probabilities of the perturbations -D..D.

    Examples
    --------
    >>> law = noise_law(2, 1.0)
    >>> law.round(4).tolist(), round(float(law.sum()), 12)
    ([0.0638, 0.2447, 0.383, 0.2447, 0.0638], 1.0)
    """
    squares = np.arange(-deviation, deviation + 1, dtype="float64") ** 2

    def law(rate: float) -> Floats:
        weights = np.exp(-rate * (squares - (0 if rate >= 0 else squares.max())))
        found: Floats = weights / weights.sum()
        return found

    rate = brentq(lambda rate: float((law(rate) * squares).sum()) - variance, -50.0, 50.0, xtol=1e-14)
    return law(float(rate))


@lru_cache(maxsize=4096)
def _reach(deviation: int, variance: float, count: int, level: float) -> float:
    """Least reach that the sum of so many perturbations keeps within at a rate."""
    if count == 0 or deviation == 0:
        return 0.0
    if count > _MOST_CONVOLVED:
        return min(math.ceil(float(norm.ppf((1 + level) / 2)) * math.sqrt(count * variance)), count * deviation)
    size = 2 * deviation * count + 1
    law = np.fft.irfft(np.fft.rfft(noise_law(deviation, variance), size) ** count, size)
    middle = deviation * count
    within = law[middle] + np.concatenate([[0.0], np.cumsum(law[middle + 1 :] + law[:middle][::-1])])
    return float(np.argmax(within >= level - 1e-12))


@judged
def intervals(values: pd.Series, noise: Noise, *, level: float = 0.95) -> pd.DataFrame:
    """Give the interval of each published value.

    Parameters
    ----------
    values
        Counts, amounts or rates as published; missing where they are hidden or not known.
    noise
        How they were protected.
    level
        Rate at which the bounds hold, for perturbed counts; sure bounds hold always.

    Returns
    -------
    pandas.DataFrame
        On the index of `values`: `value`; `low` and `high` (bounds at the rate, never below 0 where no value is);
        `unperturbed_low` and `unperturbed_high` (what rounding and secrecy alone leave, the perturbation not counted:
        no bounds of a perturbed count); `perturbed` (perturbed counts in it, 1 or 0). A value that is missing and not
        hidden has no bounds.

    Raises
    ------
    UsageError
        The rate is not between 0 and 1.
    DataError
        Values are not numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> found = intervals(pd.Series([120.0, None], index=["a", "b"]), Noise(rounding=10, hidden_below=11))
    >>> found[["value", "low", "high"]]
       value    low   high
    a  120.0  115.0  125.0
    b   <NA>    0.0   10.0
    """
    _require_level(level)
    try:
        given = pd.to_numeric(values).astype("Float64")
    except (TypeError, ValueError) as error:
        raise DataError(Note("published.not_numbers"), problems=[str(error)]) from None
    half = noise.rounding / 2
    signed = bool((given < 0).any())
    low, high = given - half, given + half
    if noise.hidden_below is not None:
        low = low.fillna(0.0)
        high = high.fillna(noise.hidden_below - 1)
    floor = -math.inf if signed else 0.0
    frame = pd.DataFrame(
        {
            "value": given,
            "unperturbed_low": low.clip(lower=floor),
            "unperturbed_high": high,
            "perturbed": (given.notna() & bool(noise.deviation)).astype("int64"),
        }
    )
    return _bounded(frame, noise, level, floor)


def _require_level(level: float) -> None:
    if not 0 < level < 1:
        raise UsageError(Note("published.bad_level", level=repr(level)))


def _bounded(frame: pd.DataFrame, noise: Noise, level: float, floor: float) -> pd.DataFrame:
    """Add the bounds at a rate."""
    variance = noise.variance
    counts = frame["perturbed"].to_numpy()
    reach = [
        float(count * noise.deviation) if variance is None else _reach(noise.deviation, variance, int(count), level)
        for count in counts
    ]
    low = (frame["unperturbed_low"] - reach).clip(lower=floor)
    frame = frame.assign(low=low, high=frame["unperturbed_high"] + reach)
    frame = frame[list(INTERVAL_COLUMNS)]
    frame.attrs[_KEY] = {"noise": noise, "level": level, "floor": floor}
    return frame


@judged
def sum_intervals(parts: pd.DataFrame, by: Any = None) -> pd.DataFrame:  # noqa: ANN401 - what pandas groups by
    """Sum intervals: sure bounds add up, and perturbations partly cancel.

    Parameters
    ----------
    parts
        Frame of `intervals`.
    by
        What to group by, as `pandas` takes it; None for one sum, labelled `total`.

    Returns
    -------
    pandas.DataFrame
        As `intervals`, a row per group. `value` is missing where a part has none; bounds are missing where a part has
        none.

    Raises
    ------
    DataError
        The frame is not one of `intervals`.

    Examples
    --------
    >>> import pandas as pd
    >>> parts = intervals(pd.Series([100.0] * 25), Noise(deviation=5, variance=4.0))
    >>> float(parts["high"].iloc[0]), float(sum_intervals(parts).loc["total", "high"])
    (104.0, 2520.0)
    """
    about = _about(parts)
    grouped = parts.groupby([*(["total"] * len(parts))] if by is None else by)
    sums = grouped[["value", "unperturbed_low", "unperturbed_high"]].agg(lambda column: column.sum(skipna=False))
    frame = sums.assign(perturbed=grouped["perturbed"].sum())
    return _bounded(frame, about["noise"], about["level"], about["floor"])


def _about(parts: pd.DataFrame) -> dict[str, Any]:
    if (
        not isinstance(parts, pd.DataFrame)
        or _KEY not in parts.attrs
        or not set(INTERVAL_COLUMNS) <= set(parts.columns)
    ):
        raise DataError(Note("published.no_intervals"), way_out=Note("published.make_intervals"))
    found: dict[str, Any] = parts.attrs[_KEY]
    return found


@judged
def ratio_intervals(top: pd.DataFrame, bottom: pd.DataFrame, *, share: bool = True) -> pd.DataFrame:
    """Divide intervals: the least over the greatest, and the greatest over the least.

    Parameters
    ----------
    top, bottom
        Frames of `intervals` or `sum_intervals` on one index, both at one rate. Each is taken at the rate that keeps
        the ratio at theirs: half of the risk for each.
    share
        Whether the top is a part of the bottom, so that the ratio lies between 0 and 1. False for a mean.

    Returns
    -------
    pandas.DataFrame
        `value`, `low`, `high`, on the index of `top`; missing where a bottom can be 0.

    Raises
    ------
    DataError
        The frames are not of `intervals`, or not on one index, or what should be a share is above 1 at its least.

    Notes
    -----
    The bounds suppose nothing on how the two noises go together: they hold at the rate, and are wider than need be
    where the noises are independent.

    Examples
    --------
    >>> import pandas as pd
    >>> poor = intervals(pd.Series([300.0]), Noise(rounding=10))
    >>> people = intervals(pd.Series([1000.0]), Noise(rounding=10))
    >>> ratio_intervals(poor, people).round(4).iloc[0].tolist()
    [0.3, 0.2935, 0.3065]
    """
    above, below = _about(top), _about(bottom)
    if not top.index.equals(bottom.index):
        raise DataError(Note("published.other_index"))
    split = 1 - (1 - max(above["level"], below["level"])) / 2
    high_level = {name: _at(part, about, split) for name, part, about in (("t", top, above), ("b", bottom, below))}
    upper, lower = high_level["t"], high_level["b"]
    positive = (lower["low"] > 0).fillna(False)
    frame = pd.DataFrame(
        {
            "value": (top["value"] / bottom["value"].where(bottom["value"] != 0)).astype("Float64"),
            "low": (upper["low"] / lower["high"].where(lower["high"] > 0)).where(positive),
            "high": (upper["high"] / lower["low"].where(positive)).where(positive),
        }
    )
    if not share:
        return frame
    above_one = (frame["low"] > 1).fillna(False)
    if above_one.any():
        raise DataError(
            Note("published.no_shares", rows=frame.index[above_one].astype(str).tolist()),
            way_out=Note("published.not_a_share"),
        )
    return frame.assign(low=frame["low"].clip(0, 1), high=frame["high"].clip(0, 1))


def _at(part: pd.DataFrame, about: Mapping[str, Any], level: float) -> pd.DataFrame:
    """The same intervals at another rate; those without perturbation do not depend on it."""
    plain = part[["value", "unperturbed_low", "unperturbed_high", "perturbed"]]
    return _bounded(plain, about["noise"], level, about["floor"])


@judged
def with_intervals(
    table: pd.DataFrame,
    noises: Mapping[str, Noise],
    *,
    ratios: Mapping[str, Iterable[str]] | None = None,
    by: str | None = None,
    level: float = 0.95,
    share: bool = True,
) -> pd.DataFrame:
    """Give a table of indicators the bounds of its columns.

    Parameters
    ----------
    table
        Counts and rates, one row per QPV or any other unit.
    noises
        How each column was protected; `Noise()` for one that was not.
    ratios
        Shares to compute: name of the share, then the names of its two counts.
    by
        Column to sum the counts by (EPCI, department, ...); None keeps the rows.
    level
        Rate at which the bounds hold.
    share
        Whether the ratios are shares, between 0 and 1. False for means.

    Returns
    -------
    pandas.DataFrame
        Without `by`: the table, with `<column>_low` and `<column>_high` for each column and ratio, and the ratios. With
        `by`: the sums of the columns, their bounds, the ratios and theirs, a row per group.

    Raises
    ------
    UsageError
        A column or a count of a ratio is not in the table.
    DataError
        Values are not numbers, or what should be a share is above 1 at its least.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"epci": ["a", "a"], "young": [210, 95], "people": [1200, 530]})
    >>> noise = Noise(deviation=5, variance=4.0)
    >>> noises, ratios = {"young": noise, "people": noise}, {"share": ("young", "people")}
    >>> found = with_intervals(table, noises, ratios=ratios, by="epci")
    >>> found[["young", "young_low", "young_high", "share_low", "share_high"]].round(3)
          young  young_low  young_high  share_low  share_high
    epci
    a     305.0      300.0       310.0      0.172        0.18
    """
    pairs = {name: tuple(parts) for name, parts in (ratios or {}).items()}
    wanted = [*noises, *(part for parts in pairs.values() for part in parts), *([by] if by else [])]
    missing = [name for name in dict.fromkeys(wanted) if name not in table.columns]
    missing += [name for parts in pairs.values() for name in parts if name not in noises and name not in missing]
    if missing or any(len(parts) != 2 for parts in pairs.values()):
        raise UsageError(Note("published.no_noise_columns", columns=missing or list(pairs)))
    found = {name: intervals(table[name], noise, level=level) for name, noise in noises.items()}
    if by is not None:
        groups = table[by].to_numpy()
        found = {name: sum_intervals(part, groups) for name, part in found.items()}
        frame = pd.DataFrame({name: part["value"] for name, part in found.items()}).rename_axis(by)
    else:
        frame = table.copy()
    shares = {name: ratio_intervals(found[top], found[bottom], share=share) for name, (top, bottom) in pairs.items()}
    for name, part in {**found, **shares}.items():
        own = {name: part["value"]} if name in shares else {}
        frame = frame.assign(**own, **{f"{name}_low": part["low"], f"{name}_high": part["high"]})
    return frame
