"""Hooks of the site: pages made from the code, and blocks that run on published files shown as Python."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import site_pages

_PAGES: dict[str, str | bytes] = {}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the pages, and put those of the reference and of the notebooks into the navigation.

    A page of the folder that the navigation does not name is a how-to.
    """
    execute = os.environ.get("QPVGEO_SITE_NOTEBOOKS", "run") == "run"
    _PAGES.clear()
    _PAGES.update(site_pages.generated(execute=execute))
    for title, folder in (("Reference", "reference/"), ("Notebooks", "notebooks/")):
        own = [path for path in _PAGES if path.startswith(folder) and path.endswith(".md")]
        section: dict[str, Any] = next(one for one in config.nav or [] if isinstance(one, dict) and title in one)
        section[title] = own
    named = set(_named(config.nav))
    rest = [path.name for path in sorted(Path(config.docs_dir).glob("*.md")) if path.name not in named]
    next(one for one in config.nav or [] if isinstance(one, dict) and "How to" in one)["How to"] += rest
    return config


def _named(nav: Any) -> Iterator[str]:  # noqa: ANN401 - lists and mappings, as YAML has them
    """Pages that the navigation names."""
    if isinstance(nav, str):
        yield nav
    elif isinstance(nav, dict):
        yield from _named(list(nav.values()))
    else:
        for one in nav or []:
            yield from _named(one)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that were made."""
    for path, content in _PAGES.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:  # noqa: ANN401 - what mkdocs passes on
    """Show blocks that run on published files as plain Python."""
    return markdown.replace("```python real", "```python").replace("```py\n", "```python\n")
