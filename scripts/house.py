"""Write the table of packages of CONTRIBUTING.md from the layers contract and the docstrings of the packages."""

import ast
import re
import tomllib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
SOURCE = CHECKOUT / "src" / "qpvgeo"
PAGE = CHECKOUT / "CONTRIBUTING.md"
_MARKS = re.compile(r"(<!-- house -->\n).*?(<!-- /house -->)", re.DOTALL)


def layers() -> list[list[str]]:
    """Packages of each layer, from the one that imports all others to the ground."""
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    return [layer.split(" | ") for layer in settings["tool"]["importlinter"]["contracts"][0]["layers"]]


def question(name: str) -> str:
    """First line of the docstring of a package or module."""
    folder = SOURCE / name
    path = folder / "__init__.py" if folder.is_dir() else SOURCE / f"{name}.py"
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]


def modules(name: str) -> str:
    """Modules of a package, by name."""
    folder = SOURCE / name
    return ", ".join(
        f"`{path.stem}`" if path.suffix else f"`{path.name}/`"
        for path in sorted(folder.glob("*"))
        if path.name != "__pycache__" and not path.stem.startswith("__") and (path.suffix == ".py" or path.is_dir())
    )


def table() -> str:
    """Table of the packages in Markdown, a row each, from the face to the ground."""
    rows = ["| package | what it answers | modules |", "|---|---|---|"]
    rows += [f"| `{name}` | {question(name)} | {modules(name)} |" for layer in layers() for name in layer]
    return "\n".join(rows) + "\n"


def written(page: str) -> str:
    """A page with its table of packages made again."""
    return _MARKS.sub(lambda found: found[1] + table() + found[2], page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
