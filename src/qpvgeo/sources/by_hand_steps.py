"""What a person does to get a file with a browser: the link or page, the name, and the folder to put it in."""

import dataclasses
from pathlib import Path

from qpvgeo.language import Note

__all__ = ["ByHand"]


@dataclasses.dataclass(frozen=True, slots=True)
class ByHand:
    """What a person needs to get a file with a browser.

    Attributes
    ----------
    key
        Key of the catalogue, or the address.
    link
        Address of the file itself; None where only the page is known.
    page
        Page of the producer.
    names
        Names under which it is found on disk, the first one suffices; none where the name was not read.
    folder
        Where to put it.
    """

    key: str
    link: str | None
    page: str | None
    names: tuple[str, ...]
    folder: Path

    def note(self) -> Note:
        """The same as a sentence."""
        source = self.link or self.page
        values = {"page": self.page or source, "link": source, "folder": str(self.folder), "names": self.names}
        if source is None:
            return Note("sources.by_hand_unknown", **values)
        if not self.names:
            return Note("sources.by_hand_nameless", **values)
        kind = "sources.by_hand_link" if self.link and self.page else "sources.by_hand"
        return Note(kind, **values)
