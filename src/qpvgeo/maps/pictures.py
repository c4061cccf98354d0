"""Pictures beside the maps: how candidates move, which programmes meet, exposures side by side."""

import re
import textwrap
from collections.abc import Iterable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from qpvgeo import facts, settings
from qpvgeo.errors import DataError, judged
from qpvgeo.frames import require
from qpvgeo.frames.provenance import is_fictional, provenance
from qpvgeo.language import Note
from qpvgeo.language.numbers import number, share
from qpvgeo.language.terms import term
from qpvgeo.maps.credits import source_line
from qpvgeo.samples import FICTIONAL

__all__ = ["profile", "programmes", "sensitivity"]

_INK, _GREY, _BLUE, _ORANGE = "#222222", "#9a9a9a", "#08519c", "#dd8a2c"
_DASHES = {"queen": "-", "rook": (0, (3, 1.5))}
_COLOURS = (_BLUE, _ORANGE, "#666666", "#7a0177")
_TALLEST = 12.0
_LETTERS = 75  # of a line below a panel
_PANEL_LETTERS = 34  # of a line below a narrow one


@judged
def sensitivity(table: pd.DataFrame, *, lang: str | None = None) -> Figure:
    """Draw how many people live in candidate zones against the threshold: a curve per option, panels per proxy and gap.

    Parameters
    ----------
    table
        Frame of `qpvgeo.designation.designation_sensitivity`.
    lang
        `en` or `fr`; the language of `qpvgeo.settings` by default.

    Returns
    -------
    matplotlib.figure.Figure
        Panels with one scale: rows are proxies, columns gaps; colours are least populations, dashes rook contiguity.
        The thin line is the people of all eligible cells, which no zone can exceed.

    Raises
    ------
    DataError
        The table is of another form, or empty.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> grid = qg.read_grid(qg.sample().grid_2019)
    >>> units = qg.designation.single_unit(grid, population=124_000, median=17_000)
    >>> cells = qg.eligible_cells(grid, units, national_median=20_500)
    >>> figure = qg.maps.sensitivity(qg.designation.designation_sensitivity(cells, gap=[0, 1]))
    >>> len(figure.axes)
    2
    """
    columns = ("proxy", "threshold_factor", "contiguity", "gap", "min_population", "population", "eligible_population")
    require.require_columns(table, columns, what="table")
    _require_rows(table)
    lang = lang or settings.current_language()
    proxies, gaps = list(dict.fromkeys(table["proxy"])), sorted(table["gap"].unique())
    least = sorted(table["min_population"].unique())
    figure, axes = plt.subplots(
        len(proxies),
        len(gaps),
        figsize=(3.4 * len(gaps) + 2.0, 2.7 * len(proxies) + 0.9),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for (row, column), ax in np.ndenumerate(axes):
        part = table[(table["proxy"] == proxies[row]) & (table["gap"] == gaps[column])]
        whole = part.drop_duplicates("threshold_factor").sort_values("threshold_factor")
        label = term("all eligible cells", lang)
        ax.plot(whole["threshold_factor"], whole["eligible_population"], color=_GREY, linewidth=0.8, label=label)
        for (minimum, contiguity), lines in part.groupby(["min_population", "contiguity"]):
            curve = lines.sort_values("threshold_factor")
            colour = _COLOURS[least.index(minimum) % len(_COLOURS)]
            words = f"{term('at least', lang)} {number(float(minimum), lang)}, {term(str(contiguity), lang)}"
            style: dict[str, Any] = {"linestyle": _DASHES.get(str(contiguity), "-"), "color": colour, "label": words}
            ax.plot(curve["threshold_factor"], curve["population"], marker="o", markersize=3, linewidth=1.3, **style)
        title = f"{term('gap', lang)} {gaps[column]}"
        ax.set_title(f"{term(str(proxies[row]), lang)}, {title}" if proxies[row] else title, fontsize=8, loc="left")
        _plain(ax, lang)
    axes[0, 0].set_ylim(bottom=0)
    handles, words = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, words, loc="outside right upper", fontsize=7, frameon=False)
    for ax in axes[-1]:
        ax.set_xlabel(term("threshold, as a multiple of that of the decree", lang), fontsize=7)
        ax.set_xticks(sorted(table["threshold_factor"].unique()))
    figure.supylabel(term("people of candidate zones", lang), fontsize=8)
    figure.suptitle(term("People of candidate zones by threshold", lang), fontsize=10, x=0.02, ha="left")
    line = source_line([table], lang, width=_LETTERS * len(gaps), notes=[Note("designation.not_the_law").say(lang)])
    figure.supxlabel(line, fontsize=6, x=0.02, ha="left")
    return figure


def programmes(overlaps: pd.DataFrame, *, most: int = 12, lang: str | None = None) -> Figure:
    """Draw the sets of programmes that reach QPV together: bars over a matrix of dots.

    Parameters
    ----------
    overlaps
        Frame of `qpvgeo.policy.programme_overlaps`.
    most
        How many sets to show, those with the most QPV first; how many are left out is said.
    lang
        `en` or `fr`; the language of `qpvgeo.settings` by default.

    Returns
    -------
    matplotlib.figure.Figure
        Bars of the QPV of each set, dots joined by a line for its programmes, and the QPV of each programme beside.

    Raises
    ------
    DataError
        The frame is of another form, or holds no programme.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> qpv, people = qg.read_qpv(qg.sample().qpv_2024), qg.read_population(qg.sample().population_2024)
    >>> joined = qg.join_programmes(qpv, {"a": ["QN09901M", "QN09902I"], "b": ["QN09902I"]})
    >>> figure = qg.maps.programmes(qg.policy.programme_overlaps(joined, people, qpv))
    >>> len(figure.axes)
    3
    """
    require.require_columns(overlaps, ["n_qpv", "population"], what="overlaps")
    names = [name for name in overlaps.columns if name not in ("n_qpv", "population")]
    _require_rows(overlaps if names else overlaps.head(0))
    lang = lang or settings.current_language()
    totals = pd.Series({name: overlaps.loc[overlaps[name], "n_qpv"].sum() for name in names}).sort_values()
    sets = overlaps[overlaps[names].any(axis=1)].head(most)
    none = int(overlaps.loc[~overlaps[names].any(axis=1), "n_qpv"].sum())
    figure, axes = plt.subplots(
        2,
        2,
        figsize=(0.45 * len(sets) + 3.6, 0.32 * len(names) + 3.0),
        layout="constrained",
        width_ratios=[1.2, 0.3 * len(sets) + 0.6],
        height_ratios=[2.0, 0.32 * len(names) + 0.3],
    )
    axes[0, 0].remove()
    bars, sizes, dots = axes[0, 1], axes[1, 0], axes[1, 1]
    at = np.arange(len(sets))
    drawn = bars.bar(at, sets["n_qpv"], color=_INK, width=0.6)
    bars.bar_label(drawn, [number(float(value), lang) for value in sets["n_qpv"]], fontsize=7, padding=1)
    bars.set_ylabel(term("QPV", lang), fontsize=8)
    bars.set_xticks([])
    rows = np.arange(len(totals))
    for row in rows[::2]:
        dots.axhspan(row - 0.5, row + 0.5, color="#f0efeb", zorder=0)
    for place, (_, found) in zip(at, sets.iterrows(), strict=True):
        inside = [row for row, name in enumerate(totals.index) if found[name]]
        dots.plot([place] * len(rows), rows, "o", color="#d4d2cc", markersize=5)
        dots.plot([place] * len(inside), inside, "o-", color=_INK, markersize=5, linewidth=1.4)
    dots.set_xticks([])
    dots.set_yticks(rows, _titles(totals.index), fontsize=8)
    dots.set_xlim(bars.get_xlim())
    sizes.barh(rows, totals, color=_BLUE, height=0.55)
    for row, value in zip(rows, totals, strict=True):
        sizes.text(
            value + float(totals.max()) * 0.03, row, number(float(value), lang), fontsize=7, ha="right", va="center"
        )
    sizes.set_yticks([])
    sizes.set_xticks([])
    sizes.set_xlim(right=0, left=float(totals.max()) * 1.45)
    dots.set_ylim(-0.5, len(rows) - 0.5)
    sizes.set_ylim(-0.5, len(rows) - 0.5)
    for ax in (bars, sizes, dots):
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelsize=8)
    left = int(overlaps[names].any(axis=1).sum()) - len(sets)
    said = [f"{term('QPV that no programme reaches:', lang)} {number(float(none), lang)}"]
    said += [f"{term('sets not shown:', lang)} {number(float(left), lang)}"] if left else []
    said += [term(FICTIONAL, lang)] if is_fictional(overlaps) else []
    vintage = provenance(overlaps).get("vintage")
    title = term("Programmes that reach the same QPV", lang)
    title += f", {term('geography of', lang)} {vintage}" if vintage else ""
    figure.suptitle(title, fontsize=10, x=0.02, ha="left")
    figure.supxlabel("; ".join(said), fontsize=7, x=0.02, ha="left")
    return figure


def _titles(keys: Iterable[str]) -> list[str]:
    """Titles of programmes, by their initials where they have some; of a list of one's own, its key."""
    known = facts.table("programmes").set_index("programme")["title"].to_dict()
    titles = {key: found[1] if (found := re.search(r"\((\w+)\)$", title)) else title for key, title in known.items()}
    return [titles.get(key, key) for key in keys]


@judged
def profile(table: pd.DataFrame, *, lang: str | None = None) -> Figure:
    """Draw exposures side by side: a panel per question, a row per QPV, its share between bounds.

    Parameters
    ----------
    table
        Frame of `qpvgeo.resilience.resilience_profile`.
    lang
        `en` or `fr`; the language of `qpvgeo.settings` by default.

    Returns
    -------
    matplotlib.figure.Figure
        Points are shares of the people, lines go from the least to the most; the broken line is the rest around. Under
        each panel stands what was counted: the layer and its threshold. QPV are ordered by the first question; a QPV of
        which nothing is known has no point.

    Raises
    ------
    DataError
        The frame is of another form, or empty.

    Examples
    --------
    >>> import geopandas as gpd, qpvgeo as qg
    >>> sample = qg.sample()
    >>> qpv, grid, floods = qg.read_qpv(sample.qpv_2024), qg.read_grid(sample.grid_2019), gpd.read_file(sample.floods)
    >>> table = qg.resilience.resilience_profile(qpv, grid, {"flood": {"layer": floods, "covered": "everywhere"}})
    >>> len(qg.maps.profile(table).axes)
    2
    """
    require.require_columns(table, ["name", "share", "share_low", "share_high", "around_share"], what="table")
    _require_rows(table)
    lang = lang or settings.current_language()
    questions = list(dict.fromkeys(table.index.get_level_values("question")))
    first = table.loc[questions[0]].sort_values("share", na_position="first", kind="stable")
    height = min(0.22 * len(first) + 1.2, _TALLEST)
    figure, axes = plt.subplots(
        1,
        len(questions),
        figsize=(2.1 * len(questions) + 2.2, height),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    rows = np.arange(len(first))
    asked = provenance(table).get("asked", {})
    for ax, question in zip(axes[0], questions, strict=True):
        part = table.loc[question].reindex(first.index)
        ends = part[["share_low", "share_high"]].astype("Float64").to_numpy(float, na_value=np.nan)
        ax.hlines(rows, ends[:, 0], ends[:, 1], color=_GREY, linewidth=1.6)
        ax.plot(part["share"].astype("Float64").to_numpy(float, na_value=np.nan), rows, "o", color=_BLUE, markersize=4)
        around = part["around_share"].dropna()
        if len(around):
            ax.axvline(float(around.iloc[0]), color=_ORANGE, linewidth=1.1, linestyle=(0, (4, 2)))
        ax.set_title(term(question, lang), fontsize=9, loc="left")
        words = asked.get(question, "")
        said = words.say(lang) if isinstance(words, Note) else str(words)
        ax.set_xlabel(textwrap.fill(said, _PANEL_LETTERS), fontsize=6.5, loc="left")
        ax.set_xlim(-0.03, 1.03)
        ax.set_xticks([0, 0.5, 1], [share(value, lang, 0) for value in (0, 0.5, 1)], fontsize=7)
        ax.spines[["top", "right", "left"]].set_visible(False)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x", color="#ececec", linewidth=0.6)
        ax.set_axisbelow(True)
    axes[0, 0].set_yticks(rows, [str(name) for name in first["name"]], fontsize=7)
    told = term("share of the people exposed, from the least to the most", lang)
    figure.supxlabel(f"{told}; {term('broken line: the rest around', lang)}", fontsize=7)
    return _signed(figure, table, lang)


def _require_rows(table: pd.DataFrame) -> None:
    if not len(table):
        raise DataError(Note("maps.empty_table"))


def _plain(ax: Axes, lang: str) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=7)
    ax.yaxis.set_major_formatter(lambda value, _: number(value, lang))
    ax.xaxis.set_major_formatter(lambda value, _: number(value, lang, 2))
    ax.grid(color="#ececec", linewidth=0.6)
    ax.set_axisbelow(True)


def _signed(figure: Figure, table: pd.DataFrame, lang: str) -> Figure:
    """Say on the figure that the sample is fictional."""
    if is_fictional(table):
        figure.suptitle(term(FICTIONAL, lang), x=0.99, ha="right", fontsize=6, color="#b3261e")
    return figure
