"""Insee's file of events of communes: every form of it, and lines that are no events."""

import datetime as dt
import zipfile

import openpyxl
import pandas as pd
import pytest

from qpvgeo.errors import DataError, MissingDataError
from qpvgeo.quality.files import examine
from qpvgeo.read.communes.events import EVENT_COLUMNS, EVENT_KINDS, events_frame, read_commune_events
from qpvgeo.read.communes.tables import year_of
from qpvgeo.sources import dataset_list, recognise

HEADER = [
    *("MOD", "DATE_EFF", "TYPECOM_AV", "COM_AV", "TNCC_AV", "NCC_AV", "NCCENR_AV", "LIBELLE_AV"),
    *("TYPECOM_AP", "COM_AP", "TNCC_AP", "NCC_AP", "NCCENR_AP", "LIBELLE_AP"),
]
ROWS = [
    ["32", "2019-01-01", "COM", "01004", "1", "AMBRE", "Ambre", "L'Ambre", "COM", "01004", "0", "BOIS", "Bois", "Bois"],
    ["32", "2019-01-01", "COM", "01033", "0", "BELLE", "Belle", "Belle", "COM", "01004", "0", "BOIS", "Bois", "Bois"],
    ["32", "2019-01-01", "COM", "01033", "0", "BELLE", "Belle", "Belle", "COMD", "01033", "0", "BELLE", "Belle", "Bè"],
    ["10", "1955-03-31", "COM", "01053", "0", "BOURG", "Bourg", "Bourg", "COM", "01053", "0", "B", "B", "Bourg-en-B"],
]


def text(rows=ROWS, header=HEADER, delimiter=","):
    return "\n".join(delimiter.join(row) for row in [header, *rows]) + "\n"


def write(folder, content, name="v_mvt_commune_2024.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


def changed(**cells):
    """The second row with other cells."""
    row = dict(zip(HEADER, ROWS[1], strict=True)) | cells
    return [row[name] for name in HEADER]


def problems(folder, *rows):
    with pytest.raises(DataError) as caught:
        read_commune_events(write(folder, text([ROWS[0], *rows])))
    return caught.value.problems


def test_events_are_in_the_order_of_the_days_with_their_line_in_the_file(tmp_path):
    events = read_commune_events(write(tmp_path, text()))
    assert tuple(events.columns) == EVENT_COLUMNS
    assert events.index.tolist() == [5, 2, 3, 4]
    assert events["date"].dt.date.tolist() == [dt.date(1955, 3, 31)] + [dt.date(2019, 1, 1)] * 3
    assert events.loc[4].tolist()[1:] == [
        *("32", "merged in a commune nouvelle", "COM", "01033", "Belle", "COMD", "01033", "Bè"),
    ]
    assert events.loc[2, "name_before"] == "L'Ambre"
    about = events.attrs["qpvgeo"]
    assert (about["cog_year"], about["notes"], about["fictional"]) == (2024, [], False)
    assert about["files"][0]["file"] == "v_mvt_commune_2024.csv"


FORMS = {
    "semicolons": (text(delimiter=";"), "utf-8"),
    "byte order mark": (text(), "utf-8-sig"),
    "latin": (text(), "cp1252"),
    "lower case": (text(header=[name.lower() for name in HEADER]), "utf-8"),
    "quoted": (text([[f'"{cell}"' for cell in row] for row in ROWS], [f'"{name}"' for name in HEADER]), "utf-8"),
    "days written the French way": (
        text().replace("2019-01-01", "01/01/2019").replace("1955-03-31", "31/03/1955"),
        "utf-8",
    ),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_events(tmp_path, form):
    events = read_commune_events(write(tmp_path, *[FORMS[form][0], "v_mvtcommune_2024.csv", FORMS[form][1]]))
    (tmp_path / "plain").mkdir()
    pd.testing.assert_frame_equal(events, read_commune_events(write(tmp_path / "plain", text())))


def test_workbook_and_zip_of_the_cog_give_the_same_events(tmp_path):
    plain = read_commune_events(write(tmp_path, text()))
    with zipfile.ZipFile(tmp_path / "cog_ensemble_2024_csv.zip", "w") as archive:
        archive.writestr("v_commune_2024.csv", "TYPECOM,COM,LIBELLE\nCOM,01004,Bois\n")
        archive.writestr("v_mvt_commune_2024.csv", text())
    zipped = read_commune_events(tmp_path / "cog_ensemble_2024_csv.zip")
    pd.testing.assert_frame_equal(zipped, plain)
    assert zipped.attrs["qpvgeo"]["files"][0]["member"] == "v_mvt_commune_2024.csv"
    book = openpyxl.Workbook()
    for row in [HEADER, *ROWS]:
        book.active.append([dt.datetime.fromisoformat(cell) if cell[4:5] == "-" else cell for cell in row])
    book.save(tmp_path / "v_mvt_commune_2024.xlsx")
    pd.testing.assert_frame_equal(read_commune_events(tmp_path / "v_mvt_commune_2024.xlsx"), plain)


def test_names_come_without_their_article_or_in_capitals_where_there_is_no_other(tmp_path):
    header = [name for name in HEADER if not name.startswith("LIBELLE")]
    rows = [[cell for cell, name in zip(row, HEADER, strict=True) if name in header] for row in ROWS]
    rows[1][header.index("NCCENR_AV")] = ""
    events = read_commune_events(write(tmp_path, text(rows, header)))
    assert events.loc[[2, 3], "name_before"].tolist() == ["Ambre", "BELLE"]


def test_lines_that_repeat_another_are_left_out_and_counted(tmp_path):
    events = read_commune_events(write(tmp_path, text([*ROWS, ROWS[0], ROWS[0]])))
    assert len(events) == len(ROWS)
    assert events.attrs["qpvgeo"]["notes"] == ["v_mvt_commune_2024.csv: 2 lines repeat another: left out"]


def test_codes_that_lost_a_zero_are_repaired_and_counted(tmp_path):
    events = read_commune_events(write(tmp_path, text([ROWS[0], changed(COM_AV="1033")])))
    assert events.loc[3, "code_before"] == "01033"
    assert events.attrs["qpvgeo"]["notes"] == ["1 code of COM_AV repaired, such as '1033'"]


def test_old_codes_of_corsica_are_codes(tmp_path):
    row = changed(MOD="41", DATE_EFF="1976-01-01", COM_AV="20004", COM_AP="2A004")
    events = read_commune_events(write(tmp_path, text([row])))
    assert events.loc[2, ["code_before", "code_after", "kind"]].tolist() == [
        *("20004", "2A004", "code changed with the department"),
    ]


def test_a_unit_may_enter_and_leave(tmp_path):
    enters = changed(MOD="20", TYPECOM_AV="", COM_AV="", LIBELLE_AV="", NCCENR_AV="", NCC_AV="")
    leaves = changed(MOD="30", TYPECOM_AP="", COM_AP="", LIBELLE_AP="", NCCENR_AP="", NCC_AP="")
    events = read_commune_events(write(tmp_path, text([enters, leaves])))
    assert events.loc[2, ["type_before", "code_before", "name_before"]].isna().all()
    assert events.loc[3, ["type_after", "code_after", "name_after"]].isna().all()


def test_event_of_a_code_that_is_not_known_is_kept_and_told(tmp_path):
    events = read_commune_events(write(tmp_path, text([changed(MOD="99")])))
    assert events["kind"].tolist() == ["other"]
    assert events.attrs["qpvgeo"]["notes"] == ["v_mvt_commune_2024.csv: events of unknown codes (99)"]
    assert "99" not in EVENT_KINDS


def test_lines_that_are_no_events_are_all_listed(tmp_path):
    assert problems(
        tmp_path,
        changed(DATE_EFF="2019-02-30"),
        changed(DATE_EFF="01/01/19"),
        changed(MOD="fusion"),
        changed(COM_AV="1ABC"),
        changed(TYPECOM_AP="VILLE"),
        changed(TYPECOM_AV=""),
        changed(COM_AP=""),
        changed(TYPECOM_AV="", COM_AV="", TYPECOM_AP="", COM_AP=""),
    ) == (
        "line 3: '2019-02-30' is not a day",
        "line 4: '01/01/19' is not a day",
        "line 5: 'fusion' is not the code of an event",
        "line 6: '1ABC' is not the code of a commune",
        "line 7: 'VILLE' is not a type of unit",
        "line 8: 01033 has no type",
        "line 9: COM without a code",
        "line 10: neither a unit before nor a unit after",
    )


def test_message_says_how_many_lines_and_where_to_get_the_file(tmp_path):
    with pytest.raises(DataError, match=r"1 of 2 lines are not events(.|\n)*insee\.fr/fr/information/2560452"):
        read_commune_events(write(tmp_path, text([ROWS[0], changed(MOD="")])))


def test_another_table_is_refused_by_its_header(tmp_path):
    with pytest.raises(DataError, match="No line of"):
        read_commune_events(write(tmp_path, "TYPECOM,COM,LIBELLE\nCOM,01004,Bois\n", "v_commune_2024.csv"))
    with pytest.raises(MissingDataError, match="no file"):
        read_commune_events(tmp_path / "none.csv")


def test_same_bytes_as_the_file_of_another_year_are_told(tmp_path):
    write(tmp_path, text(), "v_mvt_commune_2025.csv")
    write(tmp_path, text([ROWS[0]]), "v_mvt_commune_2023.csv")
    events = read_commune_events(write(tmp_path, text()))
    assert events.attrs["qpvgeo"]["notes"] == [
        "v_mvt_commune_2024.csv has the same bytes as v_mvt_commune_2025.csv: it shows no change between these years"
    ]


def test_file_is_recognised_by_its_content_in_any_form(tmp_path):
    for name, content in (("a_2024.csv", text()), ("b.csv", FORMS["lower case"][0]), ("c.csv", FORMS["quoted"][0])):
        write(tmp_path, content, name)
    found = [(one.path.name, one.kind, one.vintage) for one in recognise.scan(tmp_path)]
    assert found == [
        ("a_2024.csv", "commune events", 2024),
        ("b.csv", "commune events", None),
        ("c.csv", "commune events", None),
    ]
    listed = dataset_list.datasets(tmp_path)
    assert listed.loc["commune-events-2024", ["recognised_by", "path"]].tolist() == [
        "content",
        str(tmp_path / "a_2024.csv"),
    ]


def test_doctor_reads_it(tmp_path):
    (report,) = examine(write(tmp_path, text([*ROWS, ROWS[0]])))
    assert (report.ok, report.kind, report.features) == (True, "commune events", len(ROWS))
    assert [finding.problem for finding in report.findings] == [
        "v_mvt_commune_2024.csv: 1 line repeats another: left out"
    ]
    (broken,) = examine(write(tmp_path, text([changed(MOD="")])))
    assert [finding.level for finding in broken.findings] == ["error"]


def test_frame_of_events_is_checked(tmp_path):
    events = read_commune_events(write(tmp_path, text()))
    assert events_frame(events) is events
    as_text = events.assign(date=events["date"].dt.strftime("%Y-%m-%d"))
    assert events_frame(as_text)["date"].tolist() == events["date"].tolist()
    with pytest.raises(DataError, match="code_after"):
        events_frame(events.drop(columns="code_after"))
    with pytest.raises(DataError, match="line 5: yesterday"):
        events_frame(as_text.assign(date=["yesterday", *as_text["date"][1:]]))


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("v_mvt_commune_2024.csv", 2024),
        ("mvtcommune-01012019.csv", 2019),
        ("mvtcommune2020.csv", 2020),
        ("mvt.csv", None),
    ],
)
def test_name_of_the_file_says_the_year_that_its_events_end_with(name, year):
    assert year_of(name) == year
