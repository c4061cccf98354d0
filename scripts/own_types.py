"""Extension of griffe: of arguments that share a description (`x, y`), each is shown with its own type and default."""

from collections.abc import Iterator
from typing import Any

import griffe


class OwnTypes(griffe.Extension):
    """Griffe gives all of them those of the first."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:  # noqa: ANN401 - what griffe passes on
        """Correct the parsed docstring of every function, which is kept."""
        for function in _functions(pkg):
            if function.docstring is None:
                continue
            known = {one.name: one for one in function.parameters}
            for section in function.docstring.parsed:
                if section.kind is not griffe.DocstringSectionKind.parameters:
                    continue
                for shown in section.value:
                    own = known.get(shown.name)
                    if own is not None and any(shown.annotation is one.annotation for one in known.values()):
                        shown.annotation, shown.value = own.annotation, own.default


def _functions(held: griffe.Object) -> Iterator[griffe.Function]:
    for member in held.members.values():
        if isinstance(member, griffe.Function):
            yield member
        elif isinstance(member, griffe.Module | griffe.Class):
            yield from _functions(member)
