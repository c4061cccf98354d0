"""A page made once, kept zipped with the policy that its scripts need."""

import gzip
from dataclasses import dataclass

from starlette.responses import Response

__all__ = ["ZippedPage"]


@dataclass(frozen=True, slots=True)
class ZippedPage:
    """A page, zipped.

    Attributes
    ----------
    zipped
        Its HTML.
    policy
        Its content security policy.
    """

    zipped: bytes
    policy: str

    @classmethod
    def of(cls, html: str, policy: str) -> "ZippedPage":
        """Zip a page."""
        return cls(gzip.compress(html.encode(), 6, mtime=0), policy)

    def response(self, *, zipped: bool) -> Response:
        """Answer, zipped for an asker that takes it so."""
        headers = {"content-security-policy": self.policy}
        body = self.zipped if zipped else gzip.decompress(self.zipped)
        if zipped:
            headers["content-encoding"] = "gzip"
        return Response(body, headers=headers, media_type="text/html")
