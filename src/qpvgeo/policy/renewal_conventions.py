"""Renewal conventions (NPNRU, PNRQAD) that open the reduced VAT rate around a QPV."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.geographies.slivers import SIGNIFICANT_SHARE
from qpvgeo.language import Note
from qpvgeo.policy.programmes import programme_members
from qpvgeo.sources.published_names import column_of

__all__ = ["HELD", "Conventions", "Standing", "conventions_of"]

HELD = "held"
"""Word for the list that qpvgeo holds: QPV of 2015 with a project, January 2025."""

_YES = ("oui", "yes", "true", "1", "1.0")


class Standing(NamedTuple):
    """Whether a convention was signed by a day: True, False, or None with the doubt in words."""

    holds: bool | None
    doubt: Note | None = None

    @classmethod
    def unknown(cls, code: str) -> "Standing":
        """Standing of a QPV that no list speaks about."""
        return cls(None, Note("policy.convention_unknown", code=code))


@dataclass(frozen=True, slots=True)
class Conventions:
    """NPNRU conventions by QPV.

    Attributes
    ----------
    signed
        First day of signature by code, as text: empty in a list without days, missing where the day is missing.
    undated
        Codes without a day, in a list that has days.
    vintages
        Geographies that the list covers, if only to say no; None for an empty list, which says that there is none.
    held
        Whether the list is that of qpvgeo, which says yes of the QPV that it names and nothing of the others.
    """

    signed: Mapping[str, Any]
    undated: frozenset[str]
    vintages: frozenset[int] | None
    held: bool = False

    def speak_of(self, vintage: int) -> bool:
        """Whether the list covers a geography: it names a QPV of it, with a convention or without, or is empty."""
        return self.vintages is None or vintage in self.vintages

    def name_one_of(self, vintage: int) -> bool:
        """Whether a QPV of a geography has a convention."""
        return any(official.vintage_of(code) == vintage for code in self.signed)

    def standing(self, code: str, by: str) -> Standing:
        """Whether the convention of a QPV was signed by a day."""
        if not self.speak_of(official.vintage_of(code) or 0):
            return Standing.unknown(code)
        day = self.signed.get(code)
        if isinstance(day, str) and day <= by:
            return Standing(holds=True)
        if code in self.undated:
            return Standing(None, Note("policy.signature_unknown", code=code))
        if self.held:
            return Standing(None, Note("policy.not_listed", code=code))
        return Standing(holds=False)


def conventions_of(npnru: pd.DataFrame | pd.Series | Iterable[str] | None) -> Conventions | None:
    """Conventions of the renewal programme, in whichever form they come; None when they are not known."""
    if npnru is None:
        return None
    if isinstance(npnru, str) and npnru == HELD:
        codes = programme_members("npnru")["code"]
        return Conventions(dict.fromkeys(codes, ""), frozenset(), frozenset({2015}), held=True)
    if isinstance(npnru, str):
        raise UsageError(Note("policy.npnru_text"), way_out=Note("policy.npnru_text_way_out", text=repr(npnru)))
    if not isinstance(npnru, Iterable):
        raise UsageError(
            Note("policy.npnru_type", given=type(npnru).__name__),
            way_out=Note("policy.npnru_text_way_out", text='"QN05901N"'),
        )
    listed, has, signed = _listed(_of_programme(npnru) if isinstance(npnru, pd.DataFrame) else npnru)
    cleaned = official.require(listed[has], "qpv", where="npnru").codes.to_numpy(dtype=object)
    spoken = [official.vintage_of(code) for code in official.clean(listed, "qpv").codes.dropna()]
    vintages = frozenset(year for year in spoken if year is not None) if len(listed) else None
    if signed is None:
        return Conventions(dict.fromkeys(cleaned, ""), frozenset(), vintages)
    days = _days(signed)
    first = days.groupby(cleaned).min()
    return Conventions(first.to_dict(), frozenset(cleaned[days.isna().to_numpy()]), vintages)


def _of_programme(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of a table that are about the renewal programme: what join_programmes gives holds the QPV of all."""
    if "programme" not in table.columns:
        return table
    own = table[table["programme"] == "npnru"]
    return own[own["share"].fillna(1) > SIGNIFICANT_SHARE] if "share" in own.columns else own


def _listed(
    npnru: pd.DataFrame | pd.Series | Iterable[str],
) -> tuple[pd.Series, npt.NDArray[np.bool_], pd.Series | None]:
    """Codes of a list, which of them have a convention, and the days of signature where it has days."""
    if isinstance(npnru, pd.DataFrame):
        columns, has = {str(name).lower(): name for name in npnru.columns}, np.full(len(npnru), True)
        if "npnru" in columns:
            has = npnru[columns["npnru"]].astype("str").str.strip().str.lower().isin(_YES).to_numpy(dtype=bool)
        name = column_of([str(column) for column in npnru.columns], "qpv_code")
        listed = npnru.index.to_series() if name is None else npnru[name]
        return listed, has, npnru.loc[has, columns["date_convention"]] if "date_convention" in columns else None
    if isinstance(npnru, pd.Series) and pd.api.types.is_bool_dtype(npnru.dtype):
        # neither yes nor no: the way to say that it is not known is to leave the list out
        if npnru.isna().any():
            unsure = [str(code) for code in npnru.index[npnru.isna()]]
            raise DataError(Note("policy.npnru_unsure"), problems=unsure, way_out=Note("policy.npnru_unsure_way_out"))
        return npnru.index.to_series(), npnru.to_numpy(dtype=bool), None
    codes = pd.Series(list(npnru), dtype="str")
    return codes, np.full(len(codes), True), None


def _days(signed: pd.Series) -> pd.Series:
    """Days of signature as text, missing where there is none."""
    days = pd.to_datetime(signed, format="ISO8601", errors="coerce")
    wrong = signed[days.isna() & signed.notna() & (signed.astype("str").str.strip() != "")]
    if len(wrong):
        raise DataError(
            Note("policy.not_days"),
            problems=[Note("policy.not_a_day", row=str(row), value=str(value)) for row, value in wrong.items()],
            way_out=Note("policy.not_days_way_out"),
        )
    return days.dt.strftime("%Y-%m-%d").astype("object").reset_index(drop=True)
