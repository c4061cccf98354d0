"""Tables for people, drawn from the answers; in English or French."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from qpvgeo.language.numbers import number, share
from qpvgeo.language.sentences import say

__all__ = ["console", "coverage", "crosswalk", "datasets", "doctor", "fetch", "map_", "population", "summary", "tag"]

_SHOWN_FINDINGS = 20
_COUNTED = {"population": "people", "households": "households", "points": "points"}


def console() -> Console:
    """Console on standard output; wide enough for a table when the output is not a terminal."""
    plain = Console()
    return plain if plain.is_terminal else Console(width=140)


def _table(headers: Iterable[tuple[str, bool]], lang: str, title: str = "") -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False)
    for name, numeric in headers:
        table.add_column(say(name, lang), justify="right" if numeric else "left", no_wrap=numeric)
    return table


class _Notes:
    """Notes under a table, each once, with the mark that stands in the rows."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.texts: dict[str, int] = {}

    def mark(self, note: str) -> str:
        """Mark of a note, a number; empty for no note."""
        return f"({self.texts.setdefault(note, len(self.texts) + 1)})" if note else ""

    def print(self, out: Console) -> None:
        """Write the notes in the order of their marks."""
        for note, rank in self.texts.items():
            out.print(f"[dim]({rank}) {escape(say(note, self.lang))}[/dim]", soft_wrap=True)


def _grouped(notes: list[str]) -> list[str]:
    """Notes on files, those that say the same of several files in one line."""
    files: dict[str, list[str]] = {}
    for note in notes:
        label, colon, text = note.partition(": ")
        files.setdefault(text if colon else note, []).append(label if colon else "")
    told = []
    for text, labels in files.items():
        named = [label for label in labels if label]
        told.append(f"{len(labels)} x {text}" if len(labels) > 1 else f"{named[0]}: {text}" if named else text)
    return told


def _foot(answer: dict[str, Any], out: Console, lang: str) -> None:
    """Sources, and the warning that belongs to every output of the sample."""
    names = [escape(str(source.get("file") or source.get("facts"))) for source in answer.get("sources", [])]
    if names:
        out.print(f"[dim]{say('Source:', lang)} {', '.join(dict.fromkeys(names))}[/dim]", soft_wrap=True)
    if "fictional" in answer:
        out.print(f"[bold yellow]{say(answer['fictional'], lang)}[/bold yellow]", soft_wrap=True)


def summary(answer: dict[str, Any], out: Console, lang: str) -> None:
    """Headline, then the table by territory, scopes last."""
    _headline(answer, out, lang)
    headers = [("Territory", False), ("QPV", True), ("People in QPV", True), ("census", True)]
    headers += [("Population", True), ("census", True), ("Share", True), ("QPV km2", True), ("Note", False)]
    table, marks = _table(headers, lang), _Notes(lang)
    detail = next((answer[key] for key in ("by_department", "by_region") if key in answer), None)
    for row in detail or answer["by_territory"]:
        table.add_row(*_figures(row, marks, lang))
    table.add_section()
    for row in answer["scopes"]:
        table.add_row(*_figures(row, marks, lang), style="bold")
    out.print(table)
    marks.print(out)
    repairs = answer["repairs"]
    if repairs["outlines"]:
        text = say("invalid outlines made valid, area changed by", lang)
        out.print(f"[dim]{repairs['outlines']} {text} {number(repairs['added_km2'], lang, 3)} km2[/dim]")
    for note in _grouped(answer["notes"]):
        out.print(f"[dim]{escape(note)}[/dim]", soft_wrap=True)
    _foot(answer, out, lang)


def _headline(answer: dict[str, Any], out: Console, lang: str) -> None:
    basis = say(f"basis: {answer['basis']}", lang)
    release = f", {say('release', lang)} {answer['release']}" if answer.get("release") else ""
    out.print(f"[bold]{say('QPV, geography of', lang)} {answer['vintage']}[/bold]{release}  [dim]({basis})[/dim]")
    people = answer["population"]
    if people is not None:
        millions = f" ({number(people / 1e6, lang, 1)} {say('million', lang)})" if people >= 1e5 else ""
        year = answer["population_year"]
        out.print(
            f"  {number(answer['n_qpv'], lang)} QPV, {number(people, lang)} {say('people', lang)}{millions}"
            + (f", {say('reference year', lang)} {year}" if year else "")
        )
    else:
        out.print(f"  {number(answer['n_qpv'], lang)} QPV; {say('their people are not known', lang)}")
    if answer["share"] is not None:
        scope = answer["share_scope"]
        name = say(next((row["name"] for row in _all_rows(answer) if row["key"] == scope), scope), lang)
        census = answer["denominator_year"]
        out.print(
            f"  {share(answer['share'], lang, 1)} = {number(answer['share_population'], lang)} / "
            f"{number(answer['denominator'], lang)} {say('inhabitants', lang)}"
            + (f" ({say('census', lang)} {census})" if census else "")
            + f", {say('scope:', lang)} {name}",
            soft_wrap=True,
        )


def _all_rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    territories = [{**row, "key": row["territory"]} for row in answer["by_territory"]]
    return [*territories, *({**row, "key": row["scope"]} for row in answer["scopes"])]


def _figures(row: dict[str, Any], marks: _Notes, lang: str) -> list[str]:
    year = row["denominator_year"]
    census = row["population_year"]
    return [
        escape(say(row["name"], lang)),
        number(row["n_qpv"], lang),
        number(row["population"], lang),
        str(census) if census else "–",
        number(row["denominator"], lang),
        str(year) if year else "–",
        share(row["share"], lang),
        number(row["qpv_area_km2"], lang, 2),
        marks.mark(row["note"]),
    ]


def coverage(answer: dict[str, Any], out: Console, lang: str) -> None:
    """A row per unit."""
    title = f"{say('QPV by ' + answer['by'], lang)}, {say('geography of', lang)} {answer['vintage']}"
    headers = [("Code", False), ("Name", False), ("QPV", True), ("People in QPV", True), ("Population", True)]
    headers += [("Share", True), ("QPV km2", True), ("Note", False)]
    table, marks = _table(headers, lang, title), _Notes(lang)
    for row in answer["rows"]:
        table.add_row(
            row["code"] or "–",
            escape(row["name"]),
            number(row["n_qpv"], lang),
            number(row["qpv_population"], lang),
            number(row["population"], lang),
            share(row["share"], lang),
            number(row["qpv_area_km2"], lang, 2),
            marks.mark(_coverage_note(row)),
        )
    out.print(table)
    marks.print(out)
    for note in _grouped(answer["notes"]):
        out.print(f"[dim]{escape(note)}[/dim]", soft_wrap=True)
    if answer["by"] in ("commune", "epci", "ept"):
        out.print(f"[dim]{say('A QPV counts in each unit it lies in: numbers do not add up, people do.', lang)}[/dim]")
    _foot(answer, out, lang)


def _coverage_note(row: dict[str, Any]) -> str:
    """Note of a row without the figures that are its own, so that rows of one reason share one note."""
    parts = [part for part in row["note"].split("; ") if part and not part.startswith("over the population given")]
    if row["estimated_share"]:
        parts.append("people shared out by area between units")
    return "; ".join(parts)


def population(answer: dict[str, Any], out: Console, lang: str) -> None:
    """A row per perimeter, the bounds on both sides of the estimate."""
    year = answer["grid_vintage"]
    title = say("People of the grid (fiscal households)", lang) + (
        f", {year}" if year else f", {say('year not known', lang)}"
    )
    headers = [
        ("Code", False),
        ("Name", False),
        ("At least", True),
        ("Estimate", True),
        ("At most", True),
        ("Poverty", True),
    ]
    headers += [("Mean living standard", True), ("Imputed", True), ("Cells", True), ("Reliability", False)]
    table = _table(headers, lang, f"{title}, {say('method:', lang)} {answer['method']}")
    key = "qpv_code" if answer["rows"] and "qpv_code" in answer["rows"][0] else "label"
    for row in answer["rows"]:
        table.add_row(
            escape(str(row[key])),
            escape(row.get("name") or ""),
            *(number(row[name], lang) for name in ("low", "estimate", "high")),
            share(row["poverty_rate"], lang, 1),
            number(row["living_standard_mean_eur"], lang),
            share(row["imputed_share"], lang, 0),
            number(row["cells"], lang),
            f"[dim]{escape('; '.join(say(part, lang) for part in row['reliability'].split('; ')))}[/dim]",
        )
    out.print(table)
    told = answer["constraint"]
    if told:
        unmet = f", {say('not met:', lang)} {', '.join(told['unmet'])}" if told["unmet"] else ""
        out.print(f"[dim]{say('Published totals met after', lang)} {told['rounds']} {say('rounds', lang)}{unmet}[/dim]")
    text = "Living standard is a winsorised mean in euros a year, never a median. Rates are ratios of sums."
    out.print(f"[dim]{say(text, lang)}[/dim]", soft_wrap=True)
    for note in _grouped(answer["notes"]):
        out.print(f"[dim]{escape(note)}[/dim]", soft_wrap=True)
    if answer["output"]:
        out.print(f"{say('Written to', lang)} {escape(answer['output'])}", soft_wrap=True)
    _foot(answer, out, lang)


def tag(answer: dict[str, Any], out: Console, lang: str) -> None:
    """Counts by state and band, then the reasons of what is unknown; a pair of columns for each vintage."""
    each = answer.get("by_vintage") or {"": answer}
    headers = [("Points", False)]
    for vintage in each:
        headers += [(vintage or "Number", True), ("Share", True)]
    named = str(answer["on"] or ", ".join(str(vintage) for vintage in answer["vintages"] if vintage))
    about = f"{escape(answer['file'])}, {number(answer['rows'], lang)} {say('rows', lang)}"
    table = _table(headers, lang)
    for label, figures in _classes(list(each.values()), lang):
        cells = [(number(one, lang), share(one / answer["rows"] if answer["rows"] else None, lang)) for one in figures]
        table.add_row(label, *(cell for pair in cells for cell in pair))
    # over the table and not of it, whose width would break the name of a file
    title = f"{about}, {say('geography of', lang)} {named}" if named else about
    out.print(f"[bold]{title}[/bold]", soft_wrap=True)
    out.print(table)
    if answer["resumed_rows"]:
        out.print(f"{number(answer['resumed_rows'], lang)} {say('rows were tagged before', lang)}")
    if answer["output"]:
        out.print(f"{say('Written to', lang)} {escape(answer['output'])}", soft_wrap=True)
    else:
        out.print(f"[dim]{say('Nothing was written: name a file with --output to have each row.', lang)}[/dim]")
    for note in answer["notes"]:
        out.print(f"[yellow]{escape(say(note, lang))}[/yellow]", soft_wrap=True)
    _foot(answer, out, lang)


def _classes(each: list[dict[str, Any]], lang: str) -> Iterator[tuple[str, list[int]]]:
    """Rows of the table of tags, with a figure for each vintage."""
    yield say("In a QPV", lang), [one["states"]["in"] for one in each]
    before = None
    for band in each[0]["bands"]:
        ring = say("Out, within", lang) if before is None else f"{say('Out, from', lang)} {before} {say('to', lang)}"
        yield f"{ring} {band} m", [one["bands"][band] for one in each]
        before = band
    beyond = [one["states"]["out"] - sum(one["bands"].values()) for one in each]
    last = next(reversed(each[0]["bands"]), None)
    yield f"{say('Out, beyond', lang)} {last} m" if last else say("Out", lang), beyond
    yield say("Unknown", lang), [one["states"]["unknown"] for one in each]
    for reason in dict.fromkeys(reason for one in each for reason in one["reasons"]):
        yield f"  {say(reason, lang)}", [one["reasons"].get(reason, 0) for one in each]


def crosswalk(answer: dict[str, Any], out: Console, lang: str) -> None:
    """Classes of the QPV of both geographies, then what is uncovered, then where the official list disagrees."""
    by_vintage = answer["classes_by_vintage"]
    pairs = f"{number(answer['pairs'], lang)} {say('pairs', lang)}"
    title = f"{say('From the geography of 2015 to that of 2024', lang)}, {pairs}"
    table = _table([("What became of it", False), *((f"QPV {year}", True) for year in by_vintage)], lang, title)
    for kind in dict.fromkeys(kind for counts in by_vintage.values() for kind in counts):
        table.add_row(say(kind, lang), *(number(counts.get(kind), lang) for counts in by_vintage.values()))
    out.print(table)
    for year, left in answer["uncovered"].items():
        out.print(f"{say('Uncovered of', lang)} {year}{say(':', lang)} {_uncovered(left, lang)}", soft_wrap=True)
    tolerance = number(answer["tolerance_m"], lang, 1)
    out.print(f"[dim]{say('What is nowhere wider than', lang)} {tolerance} m {say('is no change.', lang)}[/dim]")
    _disagreements(answer["correspondence"], out, lang)
    for path in (answer["output"], answer["classes_output"]):
        if path:
            out.print(f"{say('Written to', lang)} {escape(path)}", soft_wrap=True)
    if answer["without_outline"]:
        out.print(f"[yellow]{say('Without an outline:', lang)} {', '.join(answer['without_outline'])}[/yellow]")
    for note in _grouped(answer["notes"]):
        out.print(f"[dim]{escape(note)}[/dim]", soft_wrap=True)
    _foot(answer, out, lang)


def map_(answer: dict[str, Any], out: Console, lang: str) -> None:
    """Title of the map and the files written."""
    out.print(f"[bold]{escape(answer['title'])}[/bold]", soft_wrap=True)
    for path in answer["outputs"]:
        out.print(f"{say('Written to', lang)} {escape(path)}", soft_wrap=True)
    for note in answer["notes"]:
        out.print(f"[yellow]{escape(note)}[/yellow]", soft_wrap=True)
    _foot(answer, out, lang)


def _uncovered(left: dict[str, Any], lang: str) -> str:
    """Ground, people and homes that the other geography does not cover."""
    words = [f"{number(left['area_km2'], lang, 2)} km2 ({share(left['area_share'], lang)})"]
    counted = [name for name in ("population", "households", "points") if left.get(name) is not None]
    words += [
        f"{number(left[name], lang)} {say(_COUNTED[name], lang)} ({share(left[f'{name}_share'], lang)})"
        for name in counted
    ]
    return ", ".join(words)


def _disagreements(found: dict[str, int] | None, out: Console, lang: str) -> None:
    """Where the official list and the ground disagree; nothing when the list is not at hand."""
    if found is None:
        return
    out.print(f"{say('Disagreements with the official list:', lang)} {number(sum(found.values()), lang)}")
    for problem, count in found.items():
        out.print(f"  {number(count, lang)} {say(problem, lang)}")


def datasets(answer: dict[str, Any], out: Console, lang: str) -> None:
    """A row per official file."""
    headers = [("Key", False), ("Kind", False), ("Vintage", True), ("Format", False), ("MB", True), ("At hand", False)]
    table = _table(headers, lang)
    for row in answer["datasets"]:
        size = row["size_bytes"]
        where = escape(Path(row["path"]).name) if row["path"] else "–"
        if row["recognised_by"] == "content":
            where += f" [dim]({say('by its content', lang)})[/dim]"
        table.add_row(
            row["key"],
            say(row["kind"], lang),
            str(row["vintage"] or "–"),
            row["format"] or "–",
            number(size / 1e6 if size else None, lang, 1),
            where,
        )
    out.print(table)
    _foot(answer, out, lang)


def fetch(answer: dict[str, Any], out: Console, lang: str) -> None:
    """A line per file, then what failed and why."""
    for row in answer["files"]:
        out.print(f"{row['key']}: {escape(row['path'])}", soft_wrap=True)
    errors = Console(stderr=True)
    for row in answer["failed"]:
        errors.print(f"[red]{say('not had', lang)}[/red] {row['key']}: {escape(row['message'])}", soft_wrap=True)


def doctor(answer: dict[str, Any], out: Console, lang: str) -> None:
    """A table of findings per file."""
    for report in answer["files"]:
        broken = any(finding["level"] == "error" for finding in report["findings"])
        state = f"[red]{say('not usable as it is', lang)}[/red]" if broken else f"[green]{say('usable', lang)}[/green]"
        if report["kind"] == "unknown" and not broken:
            state = f"[dim]{say('not a published file, left aside', lang)}[/dim]"
        count = f"{number(report['features'], lang)} {say('records', lang)}"
        out.print(
            f"[bold]{escape(report['file'])}[/bold]  {say(report['kind'], lang)}, {count}: {state}", soft_wrap=True
        )
        if not report["findings"] or (report["kind"] == "unknown" and not broken):
            continue
        table = _table([("Record", True), ("Code", False), ("Problem", False), ("Action", False)], lang)
        for finding in report["findings"][:_SHOWN_FINDINGS]:
            table.add_row(
                str(finding["row"] or "–"),
                escape(finding["code"] or "–"),
                escape(finding["problem"]),
                escape(say(finding["action"], lang)),
                style="red" if finding["level"] == "error" else None,
            )
        out.print(table)
        more = len(report["findings"]) - _SHOWN_FINDINGS
        if more > 0:
            out.print(f"  [dim]{more} {say('more: use --json to see them all', lang)}[/dim]")
    _foot(answer, out, lang)
