"""The first lines of a CSV: delimiter, encoding, ends of lines, header; titles and other files told from them."""

import csv
import random

import pytest
from tests.builders import refused

from qpvgeo.errors import DataError
from qpvgeo.formats.csv_dialect import cells_of, decoded, head_of, loose_cells_of, named


def head(text, encoding="utf-8"):
    return head_of(text if isinstance(text, bytes) else text.encode(encoding), "a.csv")


@pytest.mark.parametrize(
    ("text", "delimiter", "newline", "skipped"),
    [
        ("id;x;y\n1;2;3\n", ";", "\n", 1),
        ("id,x,y\r\n1,2,3\r\n", ",", "\r\n", 1),
        ("id\tx\ty\r1\t2\t3\r", "\t", "\r", 1),
        ("sep=|\nid|x|y\n1|2|3\n", "|", "\n", 2),
        ('\n\n"sep=;"\r\nid;x;y\r\n', ";", "\r\n", 2),
        ("id;x;y", ";", "\n", 1),
        ("id;x;y\r\r\n1;2;3\r\r\n", ";", "\r\n", 1),
    ],
    ids=[
        "semicolons",
        "Windows",
        "old Mac",
        "named delimiter",
        "named delimiter in quotes",
        "a header alone",
        "Windows twice",
    ],
)
def test_delimiter_and_ends_of_lines(text, delimiter, newline, skipped):
    found = head(text)
    assert (found.names, found.delimiter, found.newline, found.skipped) == (
        ("id", "x", "y"),
        delimiter,
        newline,
        skipped,
    )


@pytest.mark.parametrize(
    ("lines", "encoding"),
    [
        (["é".encode()] * 3 + ["é".encode("cp1252")], "utf-8"),
        (["é".encode()] + ["é".encode("cp1252")] * 3, "cp1252"),
        ([b"plain"], "utf-8"),
    ],
    ids=["most are UTF-8", "most are not", "plain"],
)
def test_encoding_is_that_of_most_lines_that_are_not_plain(lines, encoding):
    raw = b"\n".join([b"n", *lines])
    assert head(raw).encoding == encoding
    if encoding == "utf-8":
        assert set(decoded(raw, encoding)[0].split("\n")) <= {"n", "é", "plain"}


def test_character_cut_at_the_end_of_the_head_is_no_reason_for_an_old_encoding(monkeypatch):
    raw = b"n\n" + "é\n".encode() + "é".encode()[:1]
    monkeypatch.setattr("qpvgeo.formats.csv_dialect.HEAD", len(raw))
    assert head(raw).encoding == "utf-8"


@pytest.mark.parametrize(
    "text",
    [
        "lon;lat;n\n3,05;46,1;a, b\n3,06;46,2;c, d\n",
        "id;x;y\n1;2\n1;2;3;4\n1;2;3;4\n1;2;3\n",
        "id;x;y\n1;2;3;4\n",
        'id;n;x\n1;"a\nb";3\n2;"c\nd";4\n',
        "address\n1 rue A, Paris\n",
    ],
    ids=["decimal commas", "some bad rows", "one row", "cells of several lines", "one column"],
)
def test_header_is_no_title_for_the_rows_under_it(text):
    assert head(text).names[0] in {"lon", "id", "address"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a;b\n1;2;3\n4;5;6\n", "Line 1 of a.csv is not a header: it has 2 cells, and the lines under it have 3"),
        ("", "a.csv is empty"),
        ("sep=;\n", "a.csv is empty"),
    ],
    ids=["column without a name", "empty", "nothing but a delimiter"],
)
def test_what_is_no_header_is_told(text, words):
    with pytest.raises(DataError, match=words.replace(".", r"\.")):
        head(text)


@pytest.mark.parametrize("title", ["Adresses", "\n\nListe, 2024", "Un\nDeux, trois"])
def test_sentences_before_the_header_are_skipped(title):
    found = head(f"{title}\nid;x;y\n1;2;3\n2;3;4\n")
    assert found.names == ("id", "x", "y")
    assert found.skipped == 1 + sum(bool(line) for line in title.split("\n"))


@pytest.mark.parametrize("text", ["[id],x\n1,2\n", "{x;y\n1;2\n"])
def test_brackets_in_a_header_are_no_json(text):
    assert len(head(text).names) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("told", ["", "sep=,{}"], ids=["plain", "named delimiter"])
def test_names_in_quotes_may_run_over_lines(end, told):
    text = told + 'id,"Name, and{}{}street","x{}m",y{}1,a,2,3{}4,b,5,6{}'
    found = head(text.replace("{}", end))
    kept = "\n" if end == "\r" else end
    assert found.names == ("id", f"Name, and{kept}{kept}street", f"x{kept}m", "y")
    assert found.header == f'id,"Name, and{kept}{kept}street","x{kept}m",y'
    assert (found.delimiter, found.newline, found.skipped) == (",", end, 2 if told else 1)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('id;12" x;y\n1;12" pipe;3\n', ("id", '12" x', "y")),
        ('id;"x\n1;2\n', ('id;"x',)),
        ('id;"x;y\n1;2;3\n4;"b";5"\n', ('id;"x;y',)),
    ],
    ids=["inches", "never closed", "closed outside of a cell"],
)
def test_quote_in_a_header_that_no_line_closes_is_a_part_of_it(text, names):
    assert head(text).names == names


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("lon;lat;;\n1;2;;\n", ("lon", "lat", "column 3", "column 4")),
        (";x;y;column 1\n1;2;3;4\n", ("column 1_", "x", "y", "column 1")),
    ],
    ids=["at the end", "name that is taken"],
)
def test_columns_without_a_name_are_called_by_their_place(text, names):
    assert head(text).names == names


def test_cells_are_those_of_the_csv_module():
    rng = random.Random(5)
    for _ in range(5000):
        delimiter = rng.choice(";,^\t")
        record = "".join(rng.choices(['"', delimiter, "a", " ", "\r"], [4, 3, 2, 2, 0.2], k=rng.randint(1, 12)))
        try:
            # with one more cell, which is empty unless a quote is left open
            ((*cells, last),) = csv.reader([record + delimiter], delimiter=delimiter)
        except csv.Error:
            last = "none"
        expected = None if last else cells
        assert loose_cells_of(record, delimiter) == expected
        strictly = cells_of(record, delimiter)
        try:
            (cells,) = csv.reader([record + delimiter], delimiter=delimiter, strict=True)
        except csv.Error:
            assert strictly is None
        else:
            assert strictly == cells[:-1] == expected


TITLE = "Fichier encodé en UTF-8 sans BOM, champs séparés par un point-virgule"
RIL = ["depcom;id_ea;x;y", "93010;1;662450.5;6866514.1", "93010;2;662342.2;6866954.6"]


@pytest.mark.parametrize("titles", [[], [TITLE]])
def test_sentences_above_the_header_are_skipped(titles):
    head = head_of("\n".join([*titles, *RIL, ""]).encode(), "RIL.csv")
    assert head.names == ("depcom", "id_ea", "x", "y")
    assert (head.delimiter, head.skipped) == (";", 1 + len(list(filter(None, titles))))


@pytest.mark.parametrize("lines", [["a;b", "1;2;3", "4;5;6"], ["Title", "1;2;3", "4;5;6"]])
def test_a_header_that_is_too_short_is_no_title(lines):
    refused(lambda: head_of("\n".join(lines).encode(), "a.csv"), kind=DataError)


def test_a_header_of_a_million_columns_is_named_in_no_time():
    assert named([""] * 1_000_000)[-1] == "column 1000000"
