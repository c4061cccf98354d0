"""Make the fictional sample embedded in qpvgeo: same bytes each time, everywhere.

    python scripts/make_sample.py [--into DIR]

Without `--into` the files go where the package keeps them, `src/qpvgeo/samples/data`.
"""

import argparse
from pathlib import Path

from sample_maker.cells import write_grid
from sample_maker.layers import write_floods, write_footprints
from sample_maker.streets import write_addresses
from sample_maker.tables import write_administrative, write_neighbourhoods, write_populations

EMBEDDED = Path(__file__).resolve().parents[1] / "src" / "qpvgeo" / "samples" / "data"
WRITERS = (
    write_neighbourhoods,
    write_administrative,
    write_populations,
    write_grid,
    write_addresses,
    write_footprints,
    write_floods,
)


def main() -> None:
    """Write every file of the sample."""
    parser = argparse.ArgumentParser(description="Make the fictional sample of qpvgeo.")
    parser.add_argument("--into", type=Path, default=EMBEDDED, help="folder to write to")
    folder: Path = parser.parse_args().into
    folder.mkdir(parents=True, exist_ok=True)
    for write in WRITERS:
        write(folder)
    for path in sorted(folder.iterdir()):
        print(f"{path.stat().st_size:>9,} {path.name}")


if __name__ == "__main__":
    main()
