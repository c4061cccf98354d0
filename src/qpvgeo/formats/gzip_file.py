"""Unpack a gzip file without harm: within the limits of archives, and never half of it. Sizes are bytes."""

import gzip
import zlib
from pathlib import Path

from qpvgeo.errors import ArchiveError
from qpvgeo.formats import archive_safety, atomic_write
from qpvgeo.language import Note

__all__ = ["unpack"]

_CHUNK = 1 << 20


def unpack(path: Path, target: Path) -> None:
    """Unpack a gzip file into another, whose folder is made.

    Raises
    ------
    ArchiveError
        The file is damaged, ends too early, or unpacks to more than an archive may.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     packed, table = Path(folder, "a.csv.gz"), Path(folder, "a.csv")
    ...     _ = packed.write_bytes(gzip.compress(b"code;n"))
    ...     unpack(packed, table)
    ...     table.read_text()
    'code;n'
    """
    packed = path.stat().st_size

    def write(part: Path) -> None:
        done = 0
        with gzip.open(path) as source, part.open("wb") as sink:
            while chunk := source.read(_CHUNK):
                done += len(chunk)
                if done > archive_safety.MAX_BYTES or archive_safety.is_bomb(done, packed):
                    raise ArchiveError(Note("formats.gzip_bomb", file=path.name), way_out=Note("formats.get_again"))
                sink.write(chunk)

    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        atomic_write.replace(target, write)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ArchiveError(
            Note("formats.gzip_damaged", file=path.name, why=str(error)), way_out=Note("formats.get_again")
        ) from error
