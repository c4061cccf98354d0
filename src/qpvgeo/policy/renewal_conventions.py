"""Renewal conventions (NPNRU, PNRQAD) that open the reduced VAT rate around a QPV."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qpvgeo.codes import official
from qpvgeo.errors import DataError, UsageError
from qpvgeo.sources.published_names import column_of

__all__ = ["NOT_KNOWN", "Conventions", "conventions_of"]

NOT_KNOWN = "whether {} has an NPNRU convention is not known"

_YES = ("oui", "yes", "true", "1", "1.0")


@dataclass(frozen=True, slots=True)
class Conventions:
    """What a list tells of NPNRU conventions.

    Attributes
    ----------
    signed
        First day of signature by code, as text: empty in a list that tells no days, missing where the day lacks.
    undated
        Codes of which a day lacks, in a list that tells days.
    vintages
        Geographies that the list speaks of, if only to say no; None for an empty list, which says that there is none.
    """

    signed: Mapping[str, Any]
    undated: frozenset[str]
    vintages: frozenset[int] | None

    def speak_of(self, vintage: int) -> bool:
        """Whether the list names a QPV of a geography, with a convention or without, or says that there is none."""
        return self.vintages is None or vintage in self.vintages

    def name_one_of(self, vintage: int) -> bool:
        """Whether a QPV of a geography has a convention."""
        return any(official.vintage_of(code) == vintage for code in self.signed)

    def standing(self, code: str, by: str) -> bool | str:
        """Whether the convention of a QPV was signed by a day: True, False, or why it is not known."""
        if not self.speak_of(official.vintage_of(code) or 0):
            return NOT_KNOWN.format(code)
        day = self.signed.get(code)
        if isinstance(day, str) and day <= by:
            return True
        return f"when the NPNRU convention of {code} was signed is not known" if code in self.undated else False


def conventions_of(npnru: pd.DataFrame | pd.Series | Iterable[str] | None) -> Conventions | None:
    """Conventions of the renewal programme, in whichever form they come; None when they are not known."""
    if npnru is None:
        return None
    if isinstance(npnru, str):
        raise UsageError("`npnru` is one text.", way_out=f"Give a list of codes: npnru=[{npnru!r}].")
    signed = None
    if isinstance(npnru, pd.DataFrame):
        columns, has = {str(name).lower(): name for name in npnru.columns}, np.full(len(npnru), True)
        if "npnru" in columns:
            has = npnru[columns["npnru"]].astype("str").str.strip().str.lower().isin(_YES).to_numpy(dtype=bool)
        name = column_of([str(column) for column in npnru.columns], "qpv_code")
        listed = npnru.index.to_series() if name is None else npnru[name]
        signed = npnru.loc[has, columns["date_convention"]] if "date_convention" in columns else None
    elif isinstance(npnru, pd.Series) and pd.api.types.is_bool_dtype(npnru.dtype):
        # neither yes nor no: the way to say that it is not known is to leave the list out
        if npnru.isna().any():
            unsure = [str(code) for code in npnru.index[npnru.isna()]]
            raise DataError("npnru is neither True nor False for some QPV.", problems=unsure, way_out="Say which.")
        listed, has = npnru.index.to_series(), npnru.to_numpy(dtype=bool)
    else:
        listed = pd.Series(list(npnru), dtype="str")
        has = np.full(len(listed), True)
    cleaned = official.require(listed[has], "qpv", where="npnru").codes.to_numpy(dtype=object)
    spoken = [official.vintage_of(code) for code in official.clean(listed, "qpv").codes.dropna()]
    vintages = frozenset(year for year in spoken if year is not None) if len(listed) else None
    if signed is None:
        return Conventions(dict.fromkeys(cleaned, ""), frozenset(), vintages)
    days = _days(signed)
    first = days.groupby(cleaned).min()
    return Conventions(first.to_dict(), frozenset(cleaned[days.isna().to_numpy()]), vintages)


def _days(signed: pd.Series) -> pd.Series:
    """Days of signature as text, missing where there is none."""
    days = pd.to_datetime(signed, format="ISO8601", errors="coerce")
    wrong = signed[days.isna() & signed.notna() & (signed.astype("str").str.strip() != "")]
    if len(wrong):
        raise DataError(
            "npnru: the column `date_convention` holds what is not a day.",
            problems=[f"row {row}: {value!r}" for row, value in wrong.items()],
            way_out="Write days as YYYY-MM-DD.",
        )
    return days.dt.strftime("%Y-%m-%d").astype("object").reset_index(drop=True)
