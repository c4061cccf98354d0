"""Coding of outlines: by hand, and read back by a slow twin of the script of the page."""

import base64
import gzip
import json
import struct

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

import qpvgeo as qg
from qpvgeo.maps.interactive import coding


def read(data):
    """Numbers of a stream of zigzag varints."""
    found, value, scale = [], 0, 0
    for byte in data:
        value |= (byte & 127) << scale
        scale += 7
        if byte < 128:
            found.append((value >> 1) ^ -(value & 1))
            value = scale = 0
    return found


def decoded(rings, vertices):
    """Polygons of each shape: lists of rings of vertices in steps."""
    counts, steps = iter(read(rings)), iter(read(vertices))
    x = y = 0
    shapes = []
    while (polygons := next(counts, None)) is not None:
        shape = []
        for _ in range(polygons):
            lines = []
            for _ in range(next(counts)):
                line = []
                for _ in range(next(counts)):
                    x, y = x + next(steps), y + next(steps)
                    line.append((x, y))
                lines.append(line)
            shape.append(lines)
        shapes.append(shape)
    assert next(steps, None) is None
    return shapes


def test_square_is_four_corners_by_hand():
    rings, vertices = coding.outlines(np.array([shapely.box(0, 0, 4e-5, 9e-5)], dtype=object))
    # one polygon of one ring of four vertices, zigzag doubles
    assert list(rings) == [2, 2, 8]
    assert list(vertices) == [8, 0, 0, 18, 7, 0, 0, 17]
    assert decoded(rings, vertices) == [[[[(4, 0), (4, 9), (0, 9), (0, 0)]]]]


def test_holes_and_parts_keep_their_order():
    holed = shapely.Polygon([(0, 0), (1, 0), (1, 1), (0, 1)], [[(0.2, 0.2), (0.4, 0.2), (0.4, 0.4)]])
    many = shapely.MultiPolygon([holed, shapely.box(2, 2, 3, 3)])
    shapes = decoded(*coding.outlines(np.array([shapely.box(5, 5, 6, 6), many], dtype=object)))
    assert [[len(polygon) for polygon in shape] for shape in shapes] == [[1], [2, 1]]
    assert [len(ring) for ring in shapes[1][0]] == [4, 3]


def test_what_is_smaller_than_a_step_has_no_vertex():
    assert decoded(*coding.outlines(np.array([shapely.box(1, 1, 1.000001, 1.000001)], dtype=object))) == [[[[]]]]


def test_parts_that_are_no_areas_are_left_out():
    mixed = shapely.GeometryCollection([shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (2, 2)])])
    assert len(decoded(*coding.outlines(np.array([mixed], dtype=object)))[0]) == 1


@given(st.lists(st.integers(-(2**62), 2**62 - 1), max_size=60))
def test_numbers_come_back(numbers):
    assert read(coding.varints(numbers)) == numbers


def test_outlines_of_the_sample_come_back_within_two_metres():
    shapes = qg.read_qpv(qg.sample().qpv_2024).geometry.to_numpy()
    back = decoded(*coding.outlines(shapes))
    assert len(back) == len(shapes)
    for shape, polygons in zip(shapes, back, strict=True):
        again = shapely.MultiPolygon(
            [
                (np.array(rings[0]) * coding.STEP, [np.array(hole) * coding.STEP for hole in rings[1:]])
                for rings in polygons
            ]
        )
        assert shapely.hausdorff_distance(shape, again) < 2e-5


def test_header_and_streams_are_unpacked_as_they_were():
    streams = coding.Streams()
    places = [streams.add(b"abc"), streams.add(b""), streams.add(b"de")]
    raw = gzip.decompress(base64.b64decode(streams.packed({"title": "É <"})))
    length = struct.unpack("<I", raw[:4])[0]
    assert json.loads(raw[4 : 4 + length]) == {"title": "É <"}
    assert [raw[4 + length :][start : start + count] for start, count in places] == [b"abc", b"", b"de"]
