"""Rows of a CSV as they were written: quotes left open and stray returns harm no row but their own."""

import csv
import random

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
from tests.builders import refused

import qpvgeo as qg
from qpvgeo.formats import table_stream as batches
from qpvgeo.formats.table_stream import open_table
from qpvgeo.tagging.files import tag_file

# what a few perimeters of a long list do not know is tested by its name
pytestmark = pytest.mark.filterwarnings("ignore:.* may lie in another")

IN, OUT = "700500;6600500", "690000;6600500"
UNREAD = "row cannot be read"


@pytest.fixture(scope="module")
def index():
    """A square of a kilometre in Lambert-93."""
    square = shapely.box(700_000, 6_600_000, 701_000, 6_601_000)
    return qg.PerimeterIndex(gpd.GeoDataFrame({"vintage": [2024]}, index=["QN00101M"], geometry=[square], crs=2154))


def tagged(folder, index, lines, **options):
    """Rows of the output, cell by cell, after its header."""
    source, out = folder / "in.csv", folder / "out.csv"
    source.write_bytes("\n".join(["id;nom;x;y", *lines]).encode())
    tag_file(source, out, index, xy=("x", "y"), crs=2154, bands=(), **options)
    with out.open(encoding="utf-8", newline="") as stream:
        header, *rows = csv.reader(stream, delimiter=";")
    assert {len(row) for row in rows} <= {len(header)}
    return rows


def cells_by_hand(record):
    """Cells of a row as the csv module has them; None where they are not four, or a quote is left open."""
    try:
        rows = list(csv.reader([f"{record};"], delimiter=";"))
    except csv.Error:
        return None
    return rows[0][:-1] if [len(row) for row in rows] == [5] and not rows[0][-1] else None


def test_quote_that_swallows_rows_and_row_that_falls_apart_do_not_cancel_out(tmp_path, index):
    lines = [
        f"0;a;{OUT}",
        f'"1"";a;{OUT}',
        f"2;a;{IN}",
        f"3;a;{OUT}",
        f'"""4;a;{IN}',
        f"5;a;{OUT}",
        "6;a",
        f'7";a;{IN}',
        f"8;a;{OUT}",
    ]
    rows = tagged(tmp_path, index, lines)
    assert [row[4] for row in rows] == ["out", "unknown", "in", "out", "in", "out"]
    assert [row[0] for row in rows] == ["0", lines[1], "2", "3", f'"4;a;{IN}\n5;a;{OUT}\n6;a\n7', "8"]


def test_return_within_a_cell_does_not_shift_the_tags_of_the_rows_below(tmp_path, index):
    lines = [f"{row};n;{IN if row % 2 else OUT}" for row in range(20)]
    lines[2] = f"2;a\rb;{OUT}"
    lines[14:16] = [f'"14;x;{OUT}', f'15;y";{IN}']
    rows = tagged(tmp_path, index, lines)
    expected = ["in" if row % 2 else "out" for row in range(20)]
    expected[2] = expected[14] = "unknown"
    assert [row[4] for row in rows] == expected
    assert [rows[2][0], rows[14][0]] == [lines[2], lines[14]]


@pytest.mark.parametrize("neighbour", ["9;n;1;1", '9;"n;1;1', "9;a\rb;1;1", "9;n"])
@pytest.mark.parametrize(
    ("line", "name"),
    [
        (f'1;"abc"def;{IN}', "abcdef"),
        (f'1;"abc" ;{IN}', "abc "),
        (f'1;"a "" b"c"d;{IN}', 'a " bc"d'),
        (f'1;12" pipe;{IN}', '12" pipe'),
        (f'1;"{"a" * 200_000}";{IN}', "a" * 200_000),
    ],
    ids=["text after quotes", "space after quotes", "quotes after quotes", "quote in a cell", "long cell"],
)
def test_row_is_read_whatever_stands_beside_it(tmp_path, line, name, neighbour):
    (tmp_path / "in.csv").write_bytes(f"id;nom;x;y\n{line}\n{neighbour}\n{line}".encode())
    (batch,) = open_table(tmp_path / "in.csv").batches(["nom", "x"], 10, "nothing")
    assert batch.look["nom"].to_pylist()[::2] == [name] * 2
    assert not batch.bad[::2].any()


def test_mark_of_rows_in_a_cell_is_text_like_any_other(tmp_path, index):
    lines = [f'0;"a\n1;b\x1f0";{IN}', f'1;"\x1f1";{OUT}', f'"2\x1f2;n;{IN}', f"3;\x1f3;{OUT}"]
    rows = tagged(tmp_path, index, lines)
    assert [row[4] for row in rows] == ["in", "out", "unknown", "out"]


def dirty(rng):
    """Lines of a small file, of which some have quotes, delimiters, returns, or cells too many or too few."""
    lines = []
    for row in range(rng.randint(5, 40)):
        cells = [str(row), f"n{row}", *(IN if rng.random() < 0.5 else OUT).split(";")]
        if rng.random() < rng.choice([0.1, 0.4]):
            place = rng.choice([0, 0, 1, 1, 1, 3])
            for _ in range(rng.randint(1, 3)):
                at = rng.choice([0, len(cells[place]), rng.randint(0, len(cells[place]))])
                cells[place] = cells[place][:at] + rng.choice(['"', '"', '""', ";", "\r"]) + cells[place][at:]
        lines.append(";".join(cells[:-1] if rng.random() < 0.04 else cells))
    return lines


def expected(lines, unread):
    """Cells of rows by hand, told which of them cannot be read: a row is a line, or all from a quote to its end."""
    at = 0
    for is_unread in unread:
        ends = [at + 1] if is_unread else range(at + 1, len(lines) + 1)
        records = ("\n".join(lines[at:end]).rstrip("\r") for end in ends)
        end, record = next(
            (end, one) for end, one in zip(ends, records, strict=True) if is_unread or cells_by_hand(one)
        )
        assert is_unread == (cells_by_hand(record) is None)
        yield cells_by_hand(record) or [record, "", "", ""]
        at = end
    assert at == len(lines)


@pytest.mark.parametrize("seed", range(300))
def test_rows_of_dirty_files_are_their_own_whatever_is_read_with_them(tmp_path, monkeypatch, seed):
    rng = random.Random(seed)
    lines = dirty(rng)
    (tmp_path / "in.csv").write_bytes("\n".join(["id;nom;x;y", *lines]).encode())
    table = open_table(tmp_path / "in.csv")
    for rows, few in [(1000, 256), (1000, 3), (rng.randint(1, 9), 3)]:
        monkeypatch.setattr(batches, "_FEW", few)
        found = list(table.batches(["x"], rows, "columns"))
        columns = [row for batch in found for row in zip(*(column.to_pylist() for column in batch.whole), strict=True)]
        unread = [bool(is_unread) for batch in found for is_unread in batch.bad]
        assert [[cell or "" for cell in row] for row in columns] == list(expected(lines, unread))


@pytest.mark.parametrize("seed", range(1000, 1030))
def test_rows_of_dirty_files_have_the_tags_of_their_own_places(tmp_path, index, seed):
    lines = dirty(random.Random(seed))
    rows = tagged(tmp_path, index, lines)
    assert [row[:4] for row in rows] == list(expected(lines, [row[5] == UNREAD for row in rows]))
    for row in rows:
        assert row[4] == {IN: "in", OUT: "out", ";": "unknown"}.get(";".join(row[2:4]), row[4])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_returns_at_the_end_of_a_line_are_no_part_of_its_last_cell(tmp_path, end):
    (tmp_path / "in.csv").write_bytes(end.join(["id;nom;x", '1;"a";2', "3;b;4", end]).encode())
    (batch,) = open_table(tmp_path / "in.csv").batches(["x"], 10, "text")
    assert batch.look["x"].to_pylist() == ["2", "4"]
    assert batch.whole.to_pylist() == ['1;"a";2', "3;b;4"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_header_of_several_lines_comes_back_as_it_was(tmp_path, index, end):
    source, out = tmp_path / "in.csv", tmp_path / "out.csv"
    header = 'id;"name\n\nof a street";x;y'
    source.write_bytes(f"{header}\n1;a;{IN}\n2;b;{OUT}\n".replace("\n", end).encode())
    found = tag_file(source, out, index, xy=("x", "y"), crs=2154, batch_rows=1)
    assert found["states"] == {"in": 1, "out": 1, "unknown": 0}
    # within quotes, returns of old Macs become ends of lines
    assert out.read_bytes().decode().startswith(header.replace("\n", "\n" if end == "\r" else end) + ";state;")


def test_a_line_that_would_fill_the_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("qpvgeo.formats.table_stream._LONGEST_LINE", 100)
    (tmp_path / "a.csv").write_text("id;x\n1;" + "2" * 200)
    table = open_table(tmp_path / "a.csv")
    refused(lambda: list(table.batches(["id"], 10, "nothing")), "formats.line_too_long")


def test_columns_without_a_name_can_be_read_from_parquet_and_stay_nameless_in_csv(tmp_path, index):
    (tmp_path / "in.csv").write_text(f"x;y;;\n{IN};a;b\n")
    for suffix in (".parquet", ".csv"):
        tag_file(tmp_path / "in.csv", tmp_path / f"out{suffix}", index, xy=("x", "y"), crs=2154)
    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema.names[:5] == ["x", "y", "column 3", "column 4", "state"]
    assert table.to_pylist()[0]["column 4"] == "b"
    assert (tmp_path / "out.csv").read_text().startswith("x;y;;;state;reason;")


def test_parquet_with_several_nameless_columns_is_written_so_that_it_can_be_read(tmp_path, index):
    columns = [pa.array([700_500.0]), pa.array([6_600_500.0]), pa.array([1]), pa.array(["b"])]
    pq.write_table(pa.Table.from_arrays(columns, names=["x", "y", "", ""]), tmp_path / "in.parquet")
    tag_file(tmp_path / "in.parquet", tmp_path / "out.parquet", index, xy=("x", "y"), crs=2154)
    (row,) = pq.read_table(tmp_path / "out.parquet").to_pylist()
    assert (row["column 3"], row["column 4"], row["state"]) == (1, "b", "in")
