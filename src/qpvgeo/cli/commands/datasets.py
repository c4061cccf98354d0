"""`qpvgeo datasets`: the official files, and which of them are available locally."""

from pathlib import Path
from typing import Any

from qpvgeo.cli.options import folder, shared
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.language.numbers import megabytes

__all__ = ["datasets"]

_COLUMNS = (
    Column("Key", "code"),
    Column("Kind", "name", 2),
    Column("Vintage", rank=1),
    Column("Format", "code", 4),
    Column("MB", rank=3),
    Column("At hand", "name"),
    Column("Address", "name", 5),
    Column("checked", "code", 6),
)


@with_output
@lambda function: shared(function, fetch=False)
def datasets(*, output: Target, json: bool, sample: bool, data: Path | None) -> None:
    """List the official files, and which of them are available locally."""
    from qpvgeo.cli import answers
    from qpvgeo.sources import catalog, folders

    where = folder(data, sample=sample)
    output.require(data=where)
    if output.path is None and catalog.all_known_by_name(where):
        # nothing to look into, and pandas takes longer to load than all the rest
        rows = [row | {"recognised_by": "name" if row["cached"] else None} for row in catalog.records(where)]
    else:
        from qpvgeo.sources import dataset_list

        frame = dataset_list.datasets(where)
        output.write(frame.rename_axis("key"))
        rows = answers.records(frame, "key")
    notes = folders.unsearched(where)
    answer = {"datasets": rows} | ({"notes": notes} if notes else {})
    answers.show(answer | answers.within_sample(where), _table, as_json=json)


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A row per official file."""
    rows = []
    for row in answer["datasets"]:
        size = row["size_bytes"]
        where = Path(row["path"]).name if row["path"] else "–"
        if row["recognised_by"] == "content":
            where += f" ({screen.word('by its content')})"
        kind, weight = screen.word(row["kind"]), megabytes(size or None, screen.lang)
        known = screen.word(row["evidence"] or "in an archive"), screen.word(row["checked"] or "–")
        rows.append((row["key"], kind, str(row["vintage"] or "–"), row["format"] or "–", weight, where, *known))
    screen.table(_COLUMNS, rows)
    screen.notes(answer.get("notes", []))
