"""How many rows of a file have which tags, counted batch by batch."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pyarrow as pa
import pyproj

from qpvgeo.tagargs import band_name
from qpvgeo.tagging import STATES
from qpvgeo.tagnotes import Counted

__all__ = ["TagCounts", "with_counted"]

_COUNTED = b"counted"


def with_counted(tags: pa.RecordBatch, counted: Mapping[str, int]) -> pa.RecordBatch:
    """Tags that carry what was counted of their rows."""
    return tags.replace_schema_metadata({_COUNTED: json.dumps(dict(counted))})


class TagCounts:
    """How many rows have which tags.

    Parameters
    ----------
    names
        Columns of the tags.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.rows = self.resumed = self.old_lines = 0
        self.counted = Counted()
        self._suffixes = [name.removeprefix("state") for name in names if name.startswith("state")]
        self._of = {name: dict[str, int]() for name in names if name.startswith(("state", "reason", "band"))}

    def add(self, tags: pa.RecordBatch) -> None:
        """Count some rows more."""
        self.rows += tags.num_rows
        self.counted += Counted(**json.loads((tags.schema.metadata or {}).get(_COUNTED, json.dumps(asdict(Counted())))))
        for name, counts in self._of.items():
            column = tags.column(name)
            places = column.indices.drop_null().to_numpy()
            found = np.bincount(places, minlength=len(column.dictionary)).tolist()
            for label, count in zip(column.dictionary.to_pylist(), found, strict=True):
                if count:
                    counts[label] = counts.get(label, 0) + count

    def answer(self, bands: Sequence[float]) -> dict[str, Any]:
        """Counts by state, band and reason: those of the last vintage, and of each where there are several."""
        each = {suffix: self._one(suffix, bands) for suffix in self._suffixes}
        found = {"rows": self.rows, **each[self._suffixes[-1]]}
        if len(each) > 1:
            found["by_vintage"] = {suffix.removeprefix("_"): counts for suffix, counts in each.items()}
        return found

    def notes(self, crs: Any, reach: float) -> list[str]:  # noqa: ANN401 - whatever pyproj reads
        """What the rows have in common, in words: see `Counted.notes`; lines of a CSV in an old encoding."""
        notes = self.counted.notes(pyproj.CRS.from_user_input(crs), reach)
        if self.old_lines:
            are, were = ("s are", "were") if self.old_lines > 1 else (" is", "was")
            notes.append(f"{self.old_lines:,} line{are} not UTF-8 and {were} read as cp1252")
        return notes

    def _one(self, suffix: str, bands: Sequence[float]) -> dict[str, Any]:
        states, reasons = self._of[f"state{suffix}"], self._of[f"reason{suffix}"]
        within = self._of.get(f"band{suffix}", {})
        return {
            "states": {state: states.get(state, 0) for state in STATES},
            "bands": {band_name(band): within.get(f"within {band_name(band)} m", 0) for band in bands},
            "reasons": dict(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        }
