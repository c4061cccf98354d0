"""Events of communes written in a line each, and tables of communes."""

import re

import pandas as pd

from qpvgeo.geographies.communes.passage import commune_passage
from qpvgeo.read.communes.events import EVENT_COLUMNS

LINE = re.compile(r"(\S+) (\d\d) (?:(\w+) (\w+) (.+?)|-) > (?:(\w+) (\w+) (.+)|-)")
PEOPLE = pd.Series({"01001": 300, "01002": 100, "01003": 50})


def events(*lines):
    """`2019-01-01 32 COM 01002 Bois > COM 01001 Ambre`, a line each; `-` where there is no unit."""
    rows = [LINE.fullmatch(line).groups() for line in lines]
    names = [name for name in EVENT_COLUMNS if name != "kind"]
    return pd.DataFrame(rows, columns=names).astype("str").assign(date=lambda frame: pd.to_datetime(frame["date"]))


def went(first, last, happened, *columns, **sources):
    """Rows of a passage as lists, None for what is missing."""
    columns = columns or ("code_from", "code_to", "share", "kind", "basis")
    passage = commune_passage(first, last, events=happened, **({"communes": {}} | sources))
    rows = passage[list(columns)].astype(object)
    return rows.where(rows.notna(), None).to_numpy().tolist()


def frame(people):
    """Communes of a year, as `read_communes` gives them."""
    return pd.DataFrame(
        {"name": [f"n{code}" for code in people], "population": list(people.values())}, index=list(people)
    )


def etalab(folder, year, *rows):
    """A table of communes: `code name type parent people`."""
    kinds = {"COM": "commune-actuelle", "COMD": "commune-deleguee", "COMA": "commune-associee"}
    lines = [row.split(" ") for row in rows]
    body = [f"{code},{name},{kinds[kind]},01,84,{people},,{parent}" for code, name, kind, parent, people in lines]
    path = folder / f"cog{year}_communes.csv"
    path.write_text(
        "\n".join(["code,nom,type,departement,region,population,commune,chefLieu", *body]) + "\n", encoding="utf-8"
    )
    return path


NOUVELLE = events(
    "2019-01-01 32 COM 01001 Ambre > COM 01001 Ambre-Bois",
    "2019-01-01 32 COM 01001 Ambre > COMD 01001 Ambre",
    "2019-01-01 32 COM 01002 Bois > COM 01001 Ambre-Bois",
    "2019-01-01 32 COM 01002 Bois > COMD 01002 Bois",
)
RESTORED = events(
    "2021-06-01 21 COM 01001 Ambre-Bois > COM 01001 Ambre",
    "2021-06-01 21 COM 01001 Ambre-Bois > COM 01002 Bois",
    "2021-06-01 21 COMD 01001 Ambre > COM 01001 Ambre",
    "2021-06-01 21 COMD 01002 Bois > COM 01002 Bois",
)
