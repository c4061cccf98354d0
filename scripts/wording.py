"""Look for the worst of translated English in code and pages; prints each place, and exits with 1 if there is one."""

import re
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
WORDS = (
    r"\banew\b",
    r"\bat hand\b",
    r"\bwhat is asked\b",
    r"\bis told\b",
    r"\bare told\b",
    r"(?<![Tt]here )\bis no (?:number|code|area|frame|path|file|folder|list|day|date|year|cell id)\b",
    r"\blacks\b",
    r"\bcannot be drawn so\b",
    r"\bcannot be tagged so\b",
    r"\bOnes: ",
    r"\bstands? several times\b",
    r"\bin reach of\b",
)
_PATTERN = re.compile("|".join(WORDS))


def findings() -> list[str]:
    """Places where one of the words appears: file, line, text."""
    found = []
    pages = [*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").glob("*.md")]
    for path in sorted([*(CHECKOUT / "src").rglob("*.py"), *(CHECKOUT / "src").rglob("*.csv"), *pages]):
        if path.name == "CHANGELOG.md":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if _PATTERN.search(line):
                found.append(f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()}")
    return found


if __name__ == "__main__":
    places = findings()
    print("\n".join(places))
    sys.exit(1 if places else 0)
