"""Published tables as text: encodings, delimiters, headers that move, numbers as they are written."""

import zipfile

import pandas as pd
import pytest
from tests.builders import refused, workbook_of

from qpvgeo.errors import ArchiveError, DataError, MissingDataError
from qpvgeo.formats.text_tables import find_column, notes_of, read_table, to_number
from qpvgeo.sources.published_columns import commune_codes, rename_columns

ROWS = "CODGEO;LIBGEO;P13_POP\n99001;Dorménil;1634,5\n99002;Œuilly;12\n"
EXPECT = [{"codgeo", "libgeo"}]


def write(folder, content, name="table.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(content.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_text_is_the_same_in_every_encoding(tmp_path, encoding):
    table = read_table(write(tmp_path, ROWS, encoding=encoding), expect=EXPECT)
    assert list(table.columns) == ["CODGEO", "LIBGEO", "P13_POP"]
    assert table["LIBGEO"].tolist() == ["Dorménil", "Œuilly"]
    assert table.attrs["table"]["encoding"] == encoding


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_delimiter_is_found_on_the_header(tmp_path, delimiter):
    rows = delimiter.join(["CODGEO", "LIBGEO", "NOTE"]) + "\n" + delimiter.join(["99001", '"A; B, C"', "x"])
    table = read_table(write(tmp_path, rows), expect=EXPECT)
    assert table.loc[2].tolist() == ["99001", "A; B, C", "x"]
    assert table.attrs["table"]["delimiter"] == delimiter


@pytest.mark.parametrize("above", [0, 1, 7])
def test_header_is_found_under_title_lines(tmp_path, above):
    titles = "".join(f"Titre {line}, avec une virgule;\n" for line in range(above))
    table = read_table(write(tmp_path, titles + ROWS), expect=EXPECT)
    assert table.attrs["table"]["header_line"] == above + 1
    assert table.index.tolist() == [above + 2, above + 3]


def test_header_without_expectation_is_the_first_of_the_widest(tmp_path):
    assert list(read_table(write(tmp_path, "Titre\n\n" + ROWS)).columns) == ["CODGEO", "LIBGEO", "P13_POP"]


def test_technical_names_are_preferred_to_the_labels_above_them(tmp_path):
    rows = "Code du quartier;Population\nqp;pop\nQP099001;12\n"
    table = read_table(write(tmp_path, rows), expect=[{"qp"}, {"Code du quartier"}])
    assert list(table.columns) == ["qp", "pop"]


def test_names_are_stripped_of_what_is_not_seen(tmp_path):
    table = read_table(write(tmp_path, "\ufeff\ufeffCODGEO \u202f; LIBGEO\n99001;A\n"), expect=EXPECT)
    assert list(table.columns) == ["CODGEO", "LIBGEO"]


def test_empty_rows_trailing_columns_and_notes_are_left_out(tmp_path):
    rows = "CODGEO;LIBGEO;P;;\n99001;A;1;;\n;;;;\n99002;B;;;\nSource : recensement;;;;\n"
    table = read_table(write(tmp_path, rows), expect=EXPECT)
    assert table.columns.tolist() == ["CODGEO", "LIBGEO", "P"]
    assert table.index.tolist() == [2, 4]
    assert table["P"].isna().tolist() == [False, True]


@pytest.mark.parametrize("header", ['"","CODGEO","LIBGEO"', "CODGEO,LIBGEO"])
def test_row_names_written_by_r_are_left_out(tmp_path, header):
    table = read_table(write(tmp_path, f'{header}\n"1","99001","A"\n"2","99002","B"\n'), expect=EXPECT)
    assert table.to_dict("list") == {"CODGEO": ["99001", "99002"], "LIBGEO": ["A", "B"]}


def test_column_of_values_without_a_name_is_reported(tmp_path):
    table = read_table(write(tmp_path, "CODGEO;;LIBGEO\n99001;x;A\n"), expect=EXPECT)
    assert table.attrs["table"]["columns_without_a_name"] == [2]


def test_names_that_stand_twice_and_rows_too_wide_are_listed_together(tmp_path):
    with pytest.raises(DataError) as caught:
        read_table(write(tmp_path, "CODGEO;LIBGEO;P;P\n99001;A;1;2\n99002;B;1;2;3\n"), expect=EXPECT)
    assert caught.value.key == "formats.rows_do_not_fit"
    assert [
        (one.key, one.values.get("line"), one.values["cells" if "line" in one.values else "count"])
        for one in caught.value.problems
    ] == [("formats.line_cells", 3, 5), ("formats.column_repeated", None, 2)]


def test_missing_header_gives_the_names_found(tmp_path):
    with pytest.raises(DataError) as caught:
        read_table(write(tmp_path, "number;label\n1;A\n"), expect=EXPECT)
    assert caught.value.key == "formats.no_line_of_names"
    assert "codgeo, libgeo" in caught.value.problems
    assert caught.value.way_out.values["found"] == ["number", "label"]


def test_web_page_is_not_a_table(tmp_path):
    with pytest.raises(DataError, match="web page"):
        read_table(write(tmp_path, "<!DOCTYPE html><html><title>403</title></html>"), expect=EXPECT)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(MissingDataError, match=r"nowhere\.csv"):
        read_table(tmp_path / "nowhere.csv")


def test_sheet_is_found_by_its_header_and_not_by_the_dictionary_of_variables(tmp_path):
    path = workbook_of(
        tmp_path / "base.xlsx",
        Documentation=[["Base"], ["CODGEO", "LIBGEO"]],
        COM=[["Titre"], [], ["CODGEO", "LIBGEO", "POP"], [99001.0, "A", 12.5], ["2A004", "B", 7]],
    )
    table = read_table(path, expect=EXPECT)
    assert table.attrs["table"] == {"format": "workbook", "sheet": "COM", "header_line": 3}
    assert table.to_numpy().tolist() == [["99001", "A", "12.5"], ["2A004", "B", "7"]]


def test_sheet_is_chosen_in_any_case_or_the_sheets_are_listed(tmp_path):
    path = workbook_of(tmp_path / "base.xlsx", EPCI=[["a", "b"], [1, 2]], Autre=[["c", "d"], [3, 4]])
    assert list(read_table(path, sheet="epci").columns) == ["a", "b"]
    error = refused(lambda: read_table(path, sheet="COM"), "formats.no_sheet")
    assert error.way_out.values["sheets"] == ["EPCI", "Autre"]


def test_member_of_a_zip_is_chosen_by_its_header(tmp_path):
    path = tmp_path / "ensemble.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data/metadonnees.csv", "COD_VAR;LIB_VAR\nx;y\n")
        archive.writestr("data/communes.csv", ROWS)
        archive.writestr("__MACOSX/data/communes.csv", ROWS)
    table = read_table(path, expect=EXPECT)
    assert table.attrs["table"]["member"] == "data/communes.csv"
    assert len(table) == 2


def test_zip_with_two_tables_that_fit_asks_which(tmp_path):
    path = tmp_path / "ensemble.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", ROWS)
        archive.writestr("b.csv", ROWS)
    with pytest.raises(DataError) as caught:
        read_table(path, expect=EXPECT)
    assert caught.value.problems == ("a.csv", "b.csv")


def test_damaged_zip_says_so(tmp_path):
    path = tmp_path / "ensemble.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", ROWS * 100)
    content = bytearray(path.read_bytes())
    content[60:80] = bytes(20)
    path.write_bytes(content)
    error = refused(lambda: read_table(path, expect=EXPECT), "formats.member_damaged", ArchiveError)
    assert error.message.values["member"] == "a.csv"


def test_parquet_comes_as_text_without_its_geometry(tmp_path):
    frame = pd.DataFrame(
        {"population": [1250.0, None], "communes": [["99001", "99002"], None], "geometry": [b"\x01", None]},
        index=pd.Index(["QP099001", "QP099002"], name="qpv_code"),
    )
    frame.to_parquet(tmp_path / "frame.parquet")
    table = read_table(tmp_path / "frame.parquet")
    assert table.columns.tolist() == ["qpv_code", "population", "communes"]
    assert table.loc[1].tolist() == ["QP099001", "1250", "99001,99002"]
    assert table.loc[2].isna().tolist() == [False, True, True]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1250", 1250),
        ("1 250", 1250),
        ("1\u00a0250", 1250),
        ("12\u202f345\u202f678", 12345678),
        ("1634,99999999999", 1634.99999999999),
        ("-0.5", -0.5),
        ("1e3", 1000),
    ],
)
def test_numbers_are_read_as_they_are_written(text, number):
    read = to_number(pd.Series([text]))
    assert read.numbers.tolist() == [number]
    assert read.problems.empty


@pytest.mark.parametrize("text", ["12 34", "1.234,5", "12 %", "environ 30", "1,234,567"])
def test_what_is_no_number_is_a_problem_and_not_only_missing(text):
    read = to_number(pd.Series([text], index=["row"]))
    assert read.numbers.isna().all()
    assert read.problems["row"].tolist() == ["row"]
    assert read.missing == {}


def test_marks_of_secrecy_are_missing_and_counted():
    read = to_number(pd.Series(["ns", "NS", "nd", "s", "c", "NA", "", None, "3"]))
    assert read.numbers.dtype == "Int64"
    assert read.numbers.dropna().tolist() == [3]
    assert read.missing == {"ns": 2, "nd": 1, "s": 1, "c": 1, "na": 1, "": 2}


def test_numbers_keep_an_index_that_repeats_labels():
    assert to_number(pd.Series(["1", "x", "2,5"], index=["a", "a", "a"])).numbers.tolist()[::2] == [1, 2.5]


def test_column_is_found_whatever_case_accents_and_separators():
    frame = pd.DataFrame(columns=["Code Région", "libQPV", "taux_pauvrete_60%"])
    found = [find_column(frame, [name]) for name in ("CODE_REGION", "libqpv", "taux pauvreté 60", "absent")]
    assert found == ["Code Région", "libQPV", "taux_pauvrete_60%", None]


def test_renaming_a_column_that_is_not_there_lists_those_that_are():
    frame = pd.DataFrame({"a": ["1"], "population": ["2"]})
    assert rename_columns(frame, {"A": "population"}, where="x").to_dict("list") == {"population": ["1"]}
    error = refused(lambda: rename_columns(frame, {"b": "population"}, where="x"), kind=DataError)
    assert error.key


@pytest.mark.parametrize(
    ("department", "number", "code"),
    [
        ("01", "004", "01004"),
        ("1", "4", "01004"),
        ("2A", "4", "2A004"),
        ("974", "411", "97411"),
        ("974", "11", "97411"),
    ],
)
def test_code_of_a_commune_is_put_together_from_its_parts(department, number, code):
    frame = pd.DataFrame({"CODDEP": [department], "CODCOM": [number], "COM": ["Andelot"]})
    assert commune_codes(frame).tolist() == [code]


PEOPLE = [f"QN0990{n}M;Quartier {n};{100 * n}" for n in range(1, 9)]


def people(*lines):
    return "\n".join(["codeQPV;libQPV;pop", *lines]) + "\n"


@pytest.mark.parametrize("line", range(8))
@pytest.mark.parametrize("others", ['Quartier "8"', '"Quartier 8"'])
def test_a_stray_quote_swallows_no_other_row(tmp_path, line, others):
    lines = [*PEOPLE[:7], f"QN09908M;{others};800"]
    lines[line] = lines[line].replace("Quartier", '"Quartier', 1) if line < 7 else lines[line]
    table = read_table(write(tmp_path, people(*lines)), expect=[{"codeqpv", "pop"}])
    assert table["pop"].tolist() == [str(100 * n) for n in range(1, 9)]
    assert [note.values["lines"] for note in notes_of(table)] == ([[line + 2]] if line < 7 else [])


def test_a_cell_over_several_lines_is_one_cell(tmp_path):
    rows = people('QN09901M;"Les Gardes\nla suite";100', 'QN09902M;"dit ""Le Bas""";200')
    table = read_table(write(tmp_path, rows))
    assert table["libQPV"].tolist() == ["Les Gardes\nla suite", 'dit "Le Bas"']
    assert not notes_of(table)


def test_a_stray_quote_in_a_row_with_other_cells_is_refused_with_its_line(tmp_path):
    path = write(tmp_path, people(PEOPLE[0], 'QN09902M;"Quartier', PEOPLE[2]))
    error = refused(lambda: read_table(path), "formats.rows_do_not_fit")
    assert [(problem.key, problem.values["line"]) for problem in error.problems] == [("formats.line_stray_quote", 3)]


def test_labels_under_the_names_are_no_row(tmp_path):
    rows = [["code", "nom", "population"], ["Code du quartier", "Libellé", "Population 2010"], ["QP001001", "A", 6000]]
    table = read_table(workbook_of(tmp_path / "a.xlsx", Quartiers=[["Titre"], *rows]), expect=[{"code", "population"}])
    assert table.index.tolist() == [4]
    assert table.attrs["table"]["labels_line"] == 3
    assert [note.key for note in notes_of(table)] == ["formats.labels_line"]


@pytest.mark.parametrize(
    "first",
    ["QP001001;A;about 30", "QP001001;A;ns", "Ensemble;;12", "QPx01001;A;", "QPé0101;A;", "Code;POLYGON ((0 0));"],
)
def test_a_first_row_of_values_is_no_row_of_labels(tmp_path, first):
    table = read_table(write(tmp_path, f"code;nom;population\n{first}\nQP001002;B;12\n"))
    assert len(table) == 2


def test_damaged_and_oversized_tables_are_refused(tmp_path, monkeypatch):
    damaged = tmp_path / "a.parquet"
    damaged.write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    refused(lambda: read_table(damaged), "formats.unreadable", DataError)
    refused(lambda: read_table(write(tmp_path, "a;b\0\n")), "formats.not_text")
    monkeypatch.setattr("qpvgeo.formats.limits._MOST_CELLS", 5)
    refused(lambda: read_table(write(tmp_path, ROWS)), "formats.too_many_cells")
    monkeypatch.setattr("qpvgeo.formats.limits.LARGEST", 20)
    refused(lambda: read_table(write(tmp_path, ROWS)), "formats.too_large")
