"""Write docs/ledger.md again: the verdicts without data, and on published files where a folder of them is named."""

import argparse
from pathlib import Path

import pandas as pd

import qpvgeo as qg
from qpvgeo.published.ledger_table import VERDICTS, missing_files, settled
from qpvgeo.published.measure_registry import MEASURES
from qpvgeo.published.scopes import label_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "ledger.md"

MARKS = {
    "without": ("<!-- without data -->\n", "<!-- /without data -->\n"),
    "measures": ("<!-- measures -->\n", "<!-- /measures -->\n"),
    "files": ("<!-- on the published files -->\n", "<!-- /on the published files -->\n"),
}
"""What stands around the parts that are written here."""


def counts(frame: pd.DataFrame) -> str:
    """Number of figures of each verdict."""
    found = settled(frame)
    rows = [f"| {verdict} | {found[verdict]} |" for verdict in VERDICTS]
    return "\n".join(["| verdict | figures |", "|---|---:|", *rows, ""])


def figures(frame: pd.DataFrame) -> str:
    """A row per figure."""
    rows = ["| figure | what | where | published | computed | verdict |", "|---|---|---|---:|---:|---|"]
    for row in frame.itertuples():
        why = f": {row.reason}" if row.reason and row.verdict != "needs DATA" else ""
        unit = " %" if row.unit == "percent" else ""
        computed = "" if pd.isna(row.computed) else f"{_number(float(row.computed))}{unit}"
        cells = [f"`{row.Index}`", row.statement, label_of(row.territory), f"{row.published}{unit}", computed]
        rows.append("| " + " | ".join([*cells, f"{row.verdict}{why}"]).replace("\n", " ") + " |")
    return "\n".join([*rows, ""])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1e4 else f"{value:,.3f}"


def wanted(frame: pd.DataFrame) -> str:
    """What the figures without data need, each file once."""
    return "\n".join([*(f"- {note.say('en') if hasattr(note, 'say') else note}" for note in missing_files(frame)), ""])


def measures() -> str:
    """A row per measure."""
    rows = ["| measure | what | gives | arguments |", "|---|---|---|---|"]
    for row in qg.published.measures().itertuples():
        arguments = ", ".join(f"`{name}`" for name in row.arguments.split(", ") if name)
        rows.append(f"| `{row.Index}` | {meaning(row.Index)} | {row.unit} | {arguments} |")
    return "\n".join([*rows, ""])


def meaning(name: str) -> str:
    """First line of what a measure says of itself."""
    return (MEASURES[name].compute.__doc__ or "").strip().splitlines()[0].rstrip(".")


def without_data(frame: pd.DataFrame) -> str:
    """The part that needs no file."""
    told = frame[frame["verdict"] != "needs DATA"]
    return "\n".join([counts(frame), "What the rest needs:\n", wanted(frame), "What agrees already:\n", figures(told)])


def on_files(frame: pd.DataFrame) -> str:
    """The part that was computed from published files."""
    return "\n".join([counts(frame), figures(frame)])


def put(page: str, part: str, text: str) -> str:
    """A page with one of its parts written again."""
    opening, closing = MARKS[part]
    before, _, rest = page.partition(opening)
    _, _, after = rest.partition(closing)
    return f"{before}{opening}\n{text}\n{closing}{after}"


def part_of(page: str, part: str) -> str:
    """What stands in a part of a page."""
    opening, closing = MARKS[part]
    return page.partition(opening)[2].partition(closing)[0].strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, action="append", help="a folder of published files")
    asked = parser.parse_args()
    written = put(PAGE.read_text(encoding="utf-8"), "without", without_data(qg.ledger()))
    written = put(written, "measures", measures())
    if asked.data:
        written = put(written, "files", on_files(qg.ledger(data=asked.data)))
    PAGE.write_text(written, encoding="utf-8")
