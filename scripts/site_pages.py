"""Pages of the site that are made from the code: reference, error index, benchmark table, notebooks."""

import ast
import csv
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import nbformat

CHECKOUT = Path(__file__).resolve().parents[1]
SOURCE = CHECKOUT / "src" / "qpvgeo"

TOPICS = {
    "read": "Readers",
    "sources": "Files and downloads",
    "indicators": "Counts, people, shares",
    "population": "People of any polygon",
    "tagging": "Addresses and points",
    "geographies": "Two geographies, communes over time",
    "designation": "Designation",
    "policy": "Programmes",
    "fiscal": "Reduced VAT",
    "resilience": "Exposure",
    "published": "Ledger and noise",
    "maps": "Maps",
    "reports": "Sheets and citations",
    "distributed": "Many files, many machines",
    "service": "A service",
    "at_hand": "Frames of the files available",
    "quality": "Checks",
    "geometry": "Geometry",
    "frames": "Frames and provenance",
    "codes": "Codes and places",
    "facts": "Facts",
    "errors": "Errors",
    "settings": "Settings",
    "samples": "The sample",
}
"""Packages of the reference, and their titles; one that is not named here goes by its own name."""

_FROM = re.compile(r"^from \.([\w.]+) import (\w+) as \w+$", re.MULTILINE)


def _stub_names() -> dict[str, str]:
    """Module of each public function, by the stubs."""
    found: dict[str, str] = {}
    for stub in sorted(SOURCE.rglob("__init__.pyi")):
        package = ".".join(["qpvgeo", *stub.parent.relative_to(SOURCE).parts])
        for module, name in _FROM.findall(stub.read_text(encoding="utf-8")):
            found.setdefault(f"{package}.{module}.{name}", package)
    return found


def reference() -> dict[str, str]:
    """A page per topic, which names what is public."""
    names = sorted(_stub_names())
    pages = {}
    others = {name.split(".")[1] for name in names if name.count(".") > 1} - set(TOPICS) - {"cli"}
    for topic, title in {**TOPICS, **{other: other.capitalize() for other in sorted(others)}}.items():
        own = [name for name in names if name.startswith(f"qpvgeo.{topic}.")]
        if topic in ("facts", "errors", "settings", "samples"):
            own = [f"qpvgeo.{topic}"]
        body = "\n\n".join(f"::: {name}" for name in dict.fromkeys(own))
        if body:
            pages[f"reference/{topic}.md"] = f"# {title}\n\n{_opening(topic)}\n\n{body}\n"
    return pages


def _opening(topic: str) -> str:
    folder = SOURCE / topic
    path = folder / "__init__.py" if folder.is_dir() else SOURCE / f"{topic}.py"
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]


def phrases() -> dict[str, dict[str, str]]:
    """Every phrase by its key."""
    found: dict[str, dict[str, str]] = {}
    for table in sorted((SOURCE / "language" / "phrases").glob("*.csv")):
        with table.open(encoding="utf-8", newline="") as file:
            found |= {row["key"]: row for row in csv.DictReader(file)}
    return found


def raised() -> list[tuple[str, str, str]]:
    """Errors that the code raises: class, key of the message, key of the way out (or nothing)."""
    found = set()
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            key = _key(node.args[0])
            if name.endswith("Error") and key:
                way_out = next((_key(word.value) for word in node.keywords if word.arg == "way_out"), "")
                found.add((name, key, way_out))
    return sorted(found, key=lambda one: (one[1], one[0], one[2]))


def _key(node: ast.AST) -> str:
    """Key of a note that is written out."""
    if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Note" and node.args:
        first = node.args[0]
        if isinstance(first, ast.Constant):
            return str(first.value)
    return ""


def errors() -> str:
    """The error index: each error, its cause, its way out, in both languages."""
    told = phrases()
    lines = [
        "# Errors, and the way out of each",
        "",
        "Programs look at the key (`error.key`), people read the sentence. Values stand in braces. Exit statuses of",
        "the command: 1 the data did not pass, 2 the call was wrong, 3 a source could not be had.",
    ]
    room = ""
    for kind, key, way_out in raised():
        if key not in told:
            continue
        if key.partition(".")[0] != room:
            room = key.partition(".")[0]
            lines += ["", f"## {room}", "", "| key | error | what it says | way out |", "|---|---|---|---|"]
        said = f"{_plain(told[key]['english'])} *{_plain(told[key]['french'])}*"
        out = told.get(way_out)
        help_ = f"{_plain(out['english'])} *{_plain(out['french'])}*" if out else ""
        lines.append(f"| `{key}` | {kind} | {said} | {help_} |")
    return "\n".join([*lines, ""])


_FIELD = re.compile(r"\{(\w+)(?::[^{}|]*|\|([^{}|]*)\|[^{}|]*)?\}")


def _plain(text: str) -> str:
    """A phrase with its values in braces and nothing that Markdown would take."""
    bare = _FIELD.sub(lambda found: found[2] if found[2] is not None else f"{{{found[1]}}}", text)
    return bare.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("[", "\\[").replace("_", "\\_")


def benchmarks() -> str:
    """What was measured, from the page of the benchmarks."""
    text = (CHECKOUT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    return text.replace("](../docs/", "](")


def notebooks(*, execute: bool) -> Iterator[tuple[str, str | bytes]]:
    """Notebooks as pages, and their pictures; run first where asked."""
    for path in sorted((CHECKOUT / "notebooks").glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        if execute:
            from nbclient import NotebookClient  # noqa: PLC0415

            with TemporaryDirectory() as folder:  # what a notebook writes stays out of the checkout
                told = {"metadata": {"path": folder}}
                notebook = NotebookClient(notebook, timeout=300, kernel_name="python3", resources=told).execute()
        yield from _page(path.stem, notebook)


def _page(name: str, notebook: nbformat.NotebookNode) -> Iterator[tuple[str, str | bytes]]:
    parts: list[str] = []
    pictures = 0
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.get("outputs", []):
            picture = output.get("data", {}).get("image/png")
            if picture:
                from base64 import b64decode  # noqa: PLC0415

                pictures += 1
                yield f"notebooks/{name}-{pictures}.png", b64decode(picture)
                parts.append(f"![Figure {pictures}]({name}-{pictures}.png)")
            elif output.get("name") == "stdout":
                parts.append(f"```text\n{output.text.rstrip()}\n```")
    address = f"Download the notebook: `notebooks/{name}.ipynb` of the repository."
    yield f"notebooks/{name}.md", "\n\n".join([*parts, address, ""])


def french_map() -> bytes:
    """The first map of the gallery, with its words in French."""
    import matplotlib as mpl  # noqa: PLC0415

    import qpvgeo as qg  # noqa: PLC0415

    mpl.use("agg")
    files = qg.sample()
    communes = qg.read_communes(files.communes, table=files.communes_table)
    axes = qg.maps.qpv(qg.read_qpv(files.qpv_2024), communes, place="Port-Brume", lang="fr")
    with TemporaryDirectory() as folder:
        drawn = Path(folder) / "carte.png"
        qg.maps.save(axes, drawn)
        return drawn.read_bytes()


def generated(*, execute: bool) -> dict[str, str | bytes]:
    """Every page that is made from the code, by its path in the site."""
    made: dict[str, str | bytes] = {"errors.md": errors(), "benchmarks.md": benchmarks(), "fr/carte.png": french_map()}
    return {**reference(), **made, **dict(notebooks(execute=execute))}
