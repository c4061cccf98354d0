"""Where the official list of ancestors and the outlines disagree.

The list of the ANCT says which QPV of 2015 each QPV of 2024 comes from, and the last letter of the code whether it is
new, modified or unchanged. Outlines say what the ground shares. Each disagreement is a row, with the shares that speak
for it: some are errors of the list, some are what a list cannot say, some are outlines that were simplified.
"""

import pandas as pd

from qpvgeo.codes.official import STATUSES
from qpvgeo.errors import judged
from qpvgeo.frames import provenance, require
from qpvgeo.geographies.forms import crosswalk_form
from qpvgeo.geographies.outcomes import crosswalk_classes
from qpvgeo.geographies.slivers import SIGNIFICANT_SHARE
from qpvgeo.language import Note

__all__ = ["PROBLEMS", "audit_correspondence"]

PROBLEMS = (
    "listed, and shares no ground",
    f"listed, and shares {SIGNIFICANT_SHARE:.0%} or less",
    "shares ground, and is not listed",
    "listed, and has no perimeter",
    "has a perimeter, and is not listed",
    "called new, and has ancestors on the ground",
    "called unchanged, and changed",
    "called modified, and did not change",
    "called modified, and has no ancestor on the ground",
    "letter and status disagree",
)

_WORDS = {"nouveau": "new", "modifie": "modified", "inchange": "unchanged", "identique": "unchanged"}


@judged
def audit_correspondence(
    correspondence: pd.DataFrame,
    crosswalk: pd.DataFrame,
    *,
    classes: pd.DataFrame | None = None,
    extract: bool = False,
) -> pd.DataFrame:
    """List the disagreements of the official correspondence and the outlines.

    Parameters
    ----------
    correspondence
        Frame of `qpvgeo.read_correspondence`.
    crosswalk
        Frame of `qpvgeo.crosswalk` from 2015 to 2024; its `tolerance_m` says what is no change. Codes of departments
        that the crosswalk holds nothing of are left aside.
    classes
        Frame of `qpvgeo.crosswalk_classes` of that crosswalk, where it was made before; made here when left out.
    extract
        Whether the perimeters are an extract, such as one commune: only rows of the list whose codes are all in the
        crosswalk are audited, and no code is reported for having no perimeter.

    Returns
    -------
    pandas.DataFrame
        A row for each disagreement: `qpv_2015`, `qpv_2024` (one of them is missing where the other stands alone),
        `problem` (one of `PROBLEMS`), `change` (what the ground says of the QPV of 2024, else of that of 2015),
        `area_m2`, `from_share`, `to_share` (of the ground that the pair shares; missing for none).

    Raises
    ------
    DataError
        Columns are missing from a frame.

    Examples
    --------
    >>> import qpvgeo as qg
    >>> sample = qg.sample()
    >>> walk = qg.crosswalk(qg.read_qpv(sample.qpv_2015), qg.read_qpv(sample.qpv_2024))
    >>> audit_correspondence(qg.read_correspondence(sample.correspondence), walk)["problem"].tolist()
    []
    """
    require.require_columns(
        correspondence,
        ["qpv_2024", "status", "qpv_2015"],
        what="correspondence",
        way_out=Note("frames.make_correspondence"),
    )
    crosswalk = crosswalk_form(crosswalk, ["area_m2", "lost", "gained"])
    classes = crosswalk_classes(crosswalk) if classes is None else classes
    listed = correspondence[_near(correspondence["qpv_2024"], classes)]
    if extract:
        known = {code: listed[code].isin(classes.index) for code in ("qpv_2024", "qpv_2015")}
        listed = listed[known["qpv_2024"] & (known["qpv_2015"] | listed["qpv_2015"].isna())]
    ground = crosswalk.dropna(subset=["code_from", "code_to"])
    ground = ground.rename(columns={"code_from": "qpv_2015", "code_to": "qpv_2024"})
    shares = ["area_m2", "from_share", "to_share"]
    pairs = listed.dropna(subset=["qpv_2015"])[["qpv_2015", "qpv_2024"]]
    both = pairs.merge(ground[["qpv_2015", "qpv_2024", *shares]], how="outer", indicator=True)
    drawn = both["qpv_2015"].isin(classes.index) & both["qpv_2024"].isin(classes.index)
    small = ~(both[["from_share", "to_share"]].max(axis=1) > SIGNIFICANT_SHARE)
    found = [
        both[(both["_merge"] == "left_only") & drawn].assign(problem=PROBLEMS[0]),
        both[(both["_merge"] == "both") & small].assign(problem=PROBLEMS[1]),
        both[(both["_merge"] == "right_only") & ~small].assign(problem=PROBLEMS[2]),
        *([] if extract else _alone(listed, classes)),
        *_called(listed, classes),
    ]
    columns = ["qpv_2015", "qpv_2024", "problem", *shares]
    frame = pd.concat([part.reindex(columns=columns) for part in found], ignore_index=True)
    of = frame["qpv_2024"].map(classes["change"]).fillna(frame["qpv_2015"].map(classes["change"]))
    frame.insert(3, "change", of.astype("str"))
    files = [
        *provenance.provenance(correspondence).get("files", []),
        *provenance.provenance(crosswalk).get("files", []),
    ]
    return provenance.stamp(frame, files, tolerance_m=provenance.provenance(crosswalk).get("tolerance_m"))


def _near(codes: pd.Series, classes: pd.DataFrame) -> pd.Series:
    """Codes of departments that the crosswalk holds something of."""
    return codes.str.slice(2, 5).isin(set(classes.index.str.slice(2, 5)))


def _alone(listed: pd.DataFrame, classes: pd.DataFrame) -> list[pd.DataFrame]:
    """Codes of the list without a perimeter, and perimeters of 2024 that the list does not name."""
    without = [
        listed.loc[~listed[column].isin(classes.index) & listed[column].notna(), [column]].drop_duplicates()
        for column in ("qpv_2024", "qpv_2015")
    ]
    after = classes.index[classes["side"] == "to"]
    missing = pd.DataFrame({"qpv_2024": after[~after.isin(listed["qpv_2024"])]})
    return [*(part.assign(problem=PROBLEMS[3]) for part in without), missing.assign(problem=PROBLEMS[4])]


def _called(listed: pd.DataFrame, classes: pd.DataFrame) -> list[pd.DataFrame]:
    """QPV of 2024 that their letter, or the status of the list, calls what the ground denies."""
    rows = listed[["qpv_2024", "status"]].drop_duplicates("qpv_2024")
    rows = rows[rows["qpv_2024"].isin(classes.index)]
    letter = rows["qpv_2024"].str[-1].map(STATUSES)
    bare = rows["status"].str.normalize("NFKD").str.replace(r"[^A-Za-z]", "", regex=True).str.lower()
    status = bare.map(_WORDS)
    kind = rows["qpv_2024"].map(classes["change"])
    apart = status.notna() & letter.isin(list(_WORDS.values())) & (status != letter)
    tests = (
        (letter.eq("new") & kind.ne("new"), PROBLEMS[5]),
        (letter.eq("unchanged") & kind.ne("kept"), PROBLEMS[6]),
        (letter.eq("modified") & kind.eq("kept"), PROBLEMS[7]),
        (letter.eq("modified") & kind.eq("new"), PROBLEMS[8]),
        (apart, PROBLEMS[9]),
    )
    return [rows.loc[which, ["qpv_2024"]].assign(problem=problem) for which, problem in tests]
