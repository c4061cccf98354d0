"""The published file forms, written so that the bytes depend on nothing but the content.

Archives are stored, not compressed: the bytes of a compressor change with its version, and the wheel compresses
its members anyway. Dates in headers are fixed.
"""

import json
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from sample_maker.plane import Ring, Shape, clockwise, lonlat

__all__ = ["LAMBERT_ESRI", "Attributes", "csv_text", "geojson", "geometry", "gzipped", "shapefile", "zipped"]

Attributes = dict[str, str | int | float]

LAMBERT_ESRI = (
    'PROJCS["RGF93_Lambert_93",GEOGCS["GCS_RGF_1993",DATUM["D_RGF_1993",SPHEROID["GRS_1980",6378137.0,298.257222101]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],'
    'PARAMETER["False_Easting",700000.0],PARAMETER["False_Northing",6600000.0],PARAMETER["Central_Meridian",3.0],'
    'PARAMETER["Standard_Parallel_1",44.0],PARAMETER["Standard_Parallel_2",49.0],'
    'PARAMETER["Latitude_Of_Origin",46.5],UNIT["Meter",1.0]]'
)
_CRS84 = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}


def csv_text(header: str, rows: Iterable[Sequence[object]], separator: str = ";") -> bytes:
    """Write a table; a field that holds the separator is quoted."""
    lines = [header]
    for row in rows:
        fields = [str(field) for field in row]
        lines.append(separator.join(f'"{field}"' if separator in field else field for field in fields))
    return ("\n".join(lines) + "\n").encode()


def zipped(path: Path, members: dict[str, bytes]) -> None:
    """Write a zip archive whose members are stored and dated 1 January 2024."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))
            entry.create_system = 3  # else the bytes would tell Windows from the rest
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)


def gzipped(path: Path, content: bytes) -> None:
    """Write a gzip file of stored blocks, without name or time."""
    parts = [b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"]
    blocks = [content[start : start + 65535] for start in range(0, len(content), 65535)]
    for number, block in enumerate(blocks, start=1):
        parts.append(struct.pack("<BHH", number == len(blocks), len(block), len(block) ^ 0xFFFF) + block)
    parts.append(struct.pack("<II", zlib.crc32(content), len(content)))
    path.write_bytes(b"".join(parts))


def _closed(ring: Ring, *, turn_clockwise: bool) -> Ring:
    points = ring if clockwise(ring) is turn_clockwise else ring[::-1]
    return [*points, points[0]]


def geometry(shape: Shape, *, multi: bool) -> dict[str, object]:
    """Give a shape as GeoJSON does: degrees, limit anticlockwise, holes clockwise."""
    polygons = [
        [[list(lonlat(point)) for point in _closed(ring, turn_clockwise=hole > 0)] for hole, ring in enumerate(polygon)]
        for polygon in shape
    ]
    if multi or len(polygons) > 1:
        return {"type": "MultiPolygon", "coordinates": polygons}
    return {"type": "Polygon", "coordinates": polygons[0]}


def geojson(name: str, features: Iterable[tuple[Attributes, Shape]], *, multi: bool = False) -> bytes:
    """Write a layer as GeoJSON in longitude and latitude, a feature a line."""
    head = json.dumps({"type": "FeatureCollection", "name": name, "crs": _CRS84}, ensure_ascii=False)
    lines = [
        json.dumps(
            {"type": "Feature", "properties": attributes, "geometry": geometry(shape, multi=multi)},
            ensure_ascii=False,
            separators=(", ", ": "),
        ).replace("], [", "],[")
        for attributes, shape in features
    ]
    return (head[:-1] + ', "features": [\n' + ",\n".join(lines) + "\n]}\n").encode()


def _dbf(fields: dict[str, int], rows: Sequence[Sequence[str]]) -> bytes:
    """Write a dBase table of text fields in cp1252 (driver 0x57, as published), dated 12 August 2015."""
    width = 1 + sum(fields.values())
    header = struct.pack("<B3BIHH16xBBH", 3, 115, 8, 12, len(rows), 32 + 32 * len(fields) + 1, width, 0, 0x57, 0)
    columns = b"".join(struct.pack("<11sc4xB15x", name.encode(), b"C", size) for name, size in fields.items())
    records = b"".join(
        b" " + b"".join(value.encode("cp1252").ljust(size) for value, size in zip(row, fields.values(), strict=True))
        for row in rows
    )
    return header + columns + b"\r" + records + b"\x1a"


def _polygon_record(shape: Shape) -> tuple[bytes, tuple[float, float, float, float]]:
    rings = [_closed(ring, turn_clockwise=hole == 0) for polygon in shape for hole, ring in enumerate(polygon)]
    points = [(x / 100, y / 100) for ring in rings for x, y in ring]
    box = (min(x for x, _ in points), min(y for _, y in points), max(x for x, _ in points), max(y for _, y in points))
    starts = [sum(len(ring) for ring in rings[:rank]) for rank in range(len(rings))]
    body = struct.pack("<i4dii", 5, *box, len(rings), len(points))
    body += struct.pack(f"<{len(starts)}i", *starts)
    body += b"".join(struct.pack("<2d", *point) for point in points)
    return body, box


def shapefile(
    stem: str, fields: dict[str, int], rows: Sequence[Sequence[str]], shapes: Sequence[Shape]
) -> dict[str, bytes]:
    """Write the four files of a polygon shapefile in Lambert-93, without a `.cpg`, as the layers of 2015 are."""
    records = [_polygon_record(shape) for shape in shapes]
    boxes = [box for _, box in records]
    bounds = (min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes))
    shp, shx, offset = [], [], 50
    for number, (body, _) in enumerate(records, start=1):
        words = len(body) // 2
        shp.append(struct.pack(">ii", number, words) + body)
        shx.append(struct.pack(">ii", offset, words))
        offset += 4 + words

    def head(words: int) -> bytes:
        return struct.pack(">i20xi", 9994, words) + struct.pack("<ii4d4d", 1000, 5, *bounds, 0, 0, 0, 0)

    return {
        f"{stem}.dbf": _dbf(fields, rows),
        f"{stem}.prj": LAMBERT_ESRI.encode(),
        f"{stem}.shp": head(offset) + b"".join(shp),
        f"{stem}.shx": head(50 + 4 * len(shx)) + b"".join(shx),
    }
