"""`qpvgeo doctor`: files judged before anything is computed from them."""

from pathlib import Path
from typing import Any

import click

from qpvgeo.cli.options import folder, shared
from qpvgeo.cli.outputs import Target, with_output
from qpvgeo.cli.parser import argument
from qpvgeo.cli.terminal import Column, Screen
from qpvgeo.language import Note

__all__ = ["doctor"]

_SHOWN = 20
_COLUMNS = (Column("Record"), Column("Code", "code"), Column("Problem", "text"), Column("Action", "text"))


@argument("files", metavar="FILE...", nargs=-1, kind=Path, help="cli.doctor_files")
@with_output
@lambda function: shared(function, fetch=False)
def doctor(files: tuple[Path, ...], *, output: Target, json: bool, sample: bool, data: Path | None) -> None:
    """Judge files before anything is computed from them; exit status 1 when one cannot be used as it is."""
    where = folder(data, sample=sample)
    if not files and where is None:
        raise click.BadParameter(Note("cli.name_a_file"), param_hint="FILE")
    output.require(files, where)
    from qpvgeo.cli import answers
    from qpvgeo.quality.files import examine

    paths = [*files, *([where] if where else [])]
    reports = [report for path in paths for report in examine(path)]
    output.write(_findings_frame(reports))
    answer = {
        "output": output.name,
        "ok": all(report.ok for report in reports),
        "files": [report.as_dict() for report in reports],
    }
    answers.show(answer | answers.within_sample(*paths), _table, as_json=json)
    if not answer["ok"]:
        click.get_current_context().exit(1)


def _findings_frame(reports: list[Any]) -> Any:  # noqa: ANN401 - a frame, which is imported late
    """Findings of all files, a row each; a file without one has a row too."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for report in reports:
        about = report.as_dict()
        file = {"file": about["file"], "kind": about["kind"], "usable": report.ok, "records": about["features"]}
        rows += [{**file, **finding} for finding in about["findings"]] or [file]
    columns = ["file", "kind", "usable", "records", "level", "row", "code", "problem", "action"]
    rows = [{name: _text(value) for name, value in row.items()} for row in rows]
    return pd.DataFrame(rows).reindex(columns=columns).rename_axis("number").set_axis(range(1, len(rows) + 1))


def _text(value: Any) -> Any:  # noqa: ANN401 - any cell
    """A cell that a table can hold: names of files may be bytes that are no text."""
    if not isinstance(value, str) or value.isascii():
        return value
    return value.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _table(answer: dict[str, Any], screen: Screen) -> None:
    """A table of findings per file."""
    if not answer["files"]:
        screen.line(Note("cli.nothing_to_judge"))
    for report in answer["files"]:
        broken = any(finding["level"] == "error" for finding in report["findings"])
        key, style = ("cli.file_not_usable", "red") if broken else ("cli.file_usable", "green")
        findings = report["findings"]
        if report["kind"] == "unknown" and not broken:
            unknown = all(getattr(one["problem"], "key", "") == "quality.unknown_file" for one in findings)
            key, style = "cli.file_unknown" if unknown else "cli.file_passed_over", "dim"
            findings = [] if unknown else findings
        screen.line(Note(key, file=report["file"], kind=report["kind"], count=report["features"]), style=style)
        if findings:
            _findings(findings, screen)
            screen.line()


def _findings(findings: list[dict[str, Any]], screen: Screen) -> None:
    shown = findings[:_SHOWN]
    rows = [
        (str(one["row"] or ""), one["code"] or "", screen.word(one["problem"]), screen.word(one["action"]))
        for one in shown
    ]
    screen.table(_COLUMNS, rows, styles=["red" if one["level"] == "error" else "" for one in shown])
    if len(findings) > _SHOWN:
        screen.line(Note("cli.more_findings", count=len(findings) - _SHOWN), style="dim", indent=2)
