"""The first lines of a CSV: delimiter, encoding, ends of lines, header; titles and other files told from them."""

import pytest

from qpvgeo.errors import DataError
from qpvgeo.read.csvheads import decoded, head_of


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
    ],
    ids=["semicolons", "Windows", "old Mac", "named delimiter", "named delimiter in quotes", "a header alone"],
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
    monkeypatch.setattr("qpvgeo.read.csvheads.HEAD", len(raw))
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
        ("Adresses\nid;x;y\n1;2;3\n", "Line 1 of a.csv is no header: 1 cell, and the lines under it have 3"),
        ("\n\nListe, 2024\nid;x;y\n1;2;3\n", "Line 3 of a.csv is no header: 2 cells, and the lines under it have 3"),
        ("a;b\n1;2;3\n4;5;6\n", "Line 1 of a.csv is no header: 2 cells, and the lines under it have 3"),
        ("", "a.csv is empty"),
        ("sep=;\n", "a.csv is empty"),
    ],
    ids=["title", "title with a comma", "column without a name", "empty", "nothing but a delimiter"],
)
def test_what_is_no_header_is_told(text, words):
    with pytest.raises(DataError, match=words.replace(".", r"\.")):
        head(text)


@pytest.mark.parametrize("text", ["[id],x\n1,2\n", "{x;y\n1;2\n"])
def test_brackets_in_a_header_are_no_json(text):
    assert len(head(text).names) == 2
