"""What one request, and one asker, may take of the service."""

from dataclasses import dataclass, fields

from qpvgeo.errors import UsageError
from qpvgeo.language import Note

__all__ = ["Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the service; each is stated in the error that meets it.

    Attributes
    ----------
    points
        Points of one call of `/v1/locate`.
    json_bytes, file_bytes
        Bytes of a JSON body, and of a file sent to `/v1/tag`.
    rows
        Rows of a file.
    seconds
        For which a body may take to arrive, and then an answer to be made.
    rate, burst
        Requests a second of one asker to a worker, in the long run and at once; a rate of 0 sets no limit.
    uploads, waiting
        Heavy requests (batches, files, polygons) worked on at once in a worker, and those that may wait for their turn.
    polygon_km2, vertices
        Area of a drawn polygon, and points of its outline.

    Raises
    ------
    UsageError
        A limit is below what it may be: all are listed.

    Examples
    --------
    >>> Limits(points=500).points
    500
    """

    points: int = 10_000
    json_bytes: int = 5_000_000
    file_bytes: int = 50_000_000
    rows: int = 1_000_000
    seconds: float = 60.0
    rate: float = 100.0
    burst: int = 200
    uploads: int = 2
    waiting: int = 16
    polygon_km2: float = 2_000.0
    vertices: int = 10_000

    def __post_init__(self) -> None:
        """Judge the limits."""
        may_be_none = {"rate", "waiting"}
        wrong = [
            Note("service.not_a_limit", name=one.name, given=str(getattr(self, one.name)))
            for one in fields(self)
            if not getattr(self, one.name) > 0 and not (one.name in may_be_none and getattr(self, one.name) == 0)
        ]
        if wrong:
            raise UsageError(Note("service.invalid_limits"), problems=wrong)
