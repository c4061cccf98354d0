"""Metadata that depend on where the project is published: addresses, and a README whose links work on an index.

The environment variable `QPVGEO_REPOSITORY` names the repository (`https://host/owner/qpvgeo`) while a distribution is
built. Links of the README to files of the checkout then lead there; without it they become plain text, so that no index
shows a dead link.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(!?)\[([^\]]+)\]\((?!https?://|mailto:|#)([^)\s]+)\)")


def readme(text: str, repository: str) -> str:
    """A README whose relative links are absolute, or plain text where no repository is named."""

    def link(found: re.Match[str]) -> str:
        picture, label, target = found.groups()
        if not repository:
            return label
        kind = "raw" if picture else "blob"
        return f"{picture}[{label}]({repository.rstrip('/')}/{kind}/main/{target})"

    return _LINK.sub(link, text)


def urls(repository: str) -> dict[str, str]:
    """Addresses that an index shows; none where no repository is named."""
    if not repository:
        return {}
    base = repository.rstrip("/")
    return {
        "Source": base,
        "Documentation": f"{base}/tree/main/docs",
        "Changelog": f"{base}/blob/main/CHANGELOG.md",
        "Issues": f"{base}/issues",
    }


class AddressHook(MetadataHookInterface):
    """Puts the README and the addresses into the metadata."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict[str, Any]) -> None:
        """Add `readme` and `urls`."""
        repository = os.environ.get("QPVGEO_REPOSITORY", "")
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": readme(text, repository)}
        metadata["urls"] = urls(repository)
