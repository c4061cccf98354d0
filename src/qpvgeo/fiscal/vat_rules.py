"""The law on reduced VAT: rules in force on a day, how far they were checked, territories with another VAT.

Source: the tables `fiscal_rules` and `vat_territories` of `qpvgeo.facts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from qpvgeo import facts
from qpvgeo.codes import territories
from qpvgeo.language import Note

__all__ = ["Rule", "doubts_of_law", "regime_of", "rows_on", "rules_on"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule on the place of a building group."""

    zone: str
    former: bool
    wholly: float
    partly: float
    convention_by: str | None
    reference: str


def rows_on(day: str) -> list[Mapping[str, str]]:
    """Rows of `fiscal_rules` for permits filed on a day."""
    rows = facts.rows("fiscal_rules")
    return [row for row in rows if row["filed_from"] <= day <= (row["filed_to"] or "9999")]


def doubts_of_law(day: str) -> list[Note]:
    """What a reader must know of the law on a day: how far it was checked, and which rule has ended."""
    rows = facts.rows("fiscal_rules")
    checked = min(row["checked_until"] for row in rows_on(day))
    ended = max(row["filed_to"] for row in rows if row["perimeters"] == "former")
    found = [Note("fiscal.former_ended", ended=ended, on=day)] if day > ended else []
    return found + ([Note("fiscal.law_not_checked", checked_until=checked, on=day)] if day > checked else [])


def rules_on(day: str) -> list[Rule]:
    """Rules in force for permits filed on a day, the strongest first."""
    return [
        Rule(
            zone=row["zone"],
            former=row["perimeters"] == "former",
            wholly=float(row["wholly_within_m"]),
            partly=float(row["partly_within_m"] or "nan"),
            convention_by=row["convention_by"] or None,
            reference=row["reference"],
        )
        for row in rows_on(day)
    ]


def regime_of(territory: str) -> Note | None:
    """VAT of a territory where it is not that of the hexagone."""
    row = next((row for row in facts.rows("vat_territories") if row["territory"] == territory), None)
    if row is None:
        return None
    about = {"territory": territories.get(territory).name, "reference": row["reference"]}
    if row["regime"] == "reduced rate":
        return Note("fiscal.reduced_rate", rate=float(row["rate"]), **about)
    return Note("fiscal.not_levied" if row["regime"] == "not levied" else "fiscal.own_taxes", **about)
