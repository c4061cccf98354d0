"""Kill commands while they write or fetch: what stood there stays whole, the next run is the same, nothing is left.

`soak.py 200` kills that many runs of tag, population, crosswalk, map and fetch, in turn, by SIGKILL, SIGTERM, SIGINT;
`soak.py 50 --first 150` the last fifty of them.
"""

import argparse
import hashlib
import http.server
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
COMMAND = [sys.executable, "-c", "from qpvgeo.cli import main; main()"]
TABLE = b"codeQPV;pop\n" + b"".join(b"QN%05dM;1\n" % row for row in range(60_000))
RUNS = {
    "tag": (["tag", "--sample", "-o"], "out.csv"),
    "population": (["population", "--sample", "-o"], "out.parquet"),
    "crosswalk": (["crosswalk", "--sample", "-o"], "out.csv"),
    "map": (["map", "--sample", "--png"], "out.png"),
    "fetch": ([], "cache/pop_QPV24.csv"),
}


class _Slow(http.server.BaseHTTPRequestHandler):
    """A server that takes two seconds for a small table."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(TABLE)))
        self.end_headers()
        for start in range(0, len(TABLE), 1 << 14):
            try:
                self.wfile.write(TABLE[start : start + (1 << 14)])
            except OSError:
                return
            time.sleep(0.05)

    def log_message(self, *_: object) -> None:
        pass


def words(name: str, folder: Path, url: str) -> list[str]:
    """Words of a run that writes into a folder."""
    if name == "fetch":
        return ["fetch", "qpv-2024-population", "--update", "--url", url]
    given, output = RUNS[name]
    return [*given, str(folder / output)]


def started(name: str, folder: Path, url: str) -> "subprocess.Popen[bytes]":
    """Start a run."""
    environment = {**os.environ, "QPVGEO_CACHE": str(folder / "cache")}
    return subprocess.Popen(  # noqa: S603
        [*COMMAND, *words(name, folder, url)], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def digest(path: Path) -> str:
    """Content of a file; empty where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def kill_one(name: str, rank: int, url: str, chance: random.Random) -> list[str]:
    """Kill one run, run again, and say what is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="qpvgeo-soak-"))
    output = folder / RUNS[name][1]
    wrong: list[str] = []
    begun = time.monotonic()
    first = started(name, folder, url)
    first.communicate()
    took = time.monotonic() - begun
    whole = digest(output)
    if first.returncode or not whole:
        return [f"{name}: the run alone ended with {first.returncode}"]
    killed = started(name, folder, url)
    time.sleep(took * chance.uniform(0.2, 1.0))
    killed.send_signal(SIGNALS[rank % len(SIGNALS)])
    _, said = killed.communicate()
    if b"Traceback" in said:
        wrong.append(f"{name}: {said[-300:]!r}")
    if digest(output) != whole:
        wrong.append(f"{name}: what stood there is not whole")
    again = started(name, folder, url)
    again.communicate()
    if again.returncode or digest(output) != whole:
        wrong.append(f"{name}: the next run ended with {again.returncode}, or differs")
    kept = {output.name, "cache", ".locks", "qpvgeo.lock.json", ".partial", "processed"}
    cache = folder / "cache"
    places = [place for place in (folder, cache, cache / ".partial") if place.is_dir()]
    left = sorted(
        path.name for place in places for path in place.iterdir() if path.name not in kept and path.suffix != ".lock"
    )
    if left:
        wrong.append(f"{name}: {left} left behind")
    shutil.rmtree(folder)
    return wrong


def main() -> None:
    """Kill as many runs as asked, and print what went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/pop_QPV24.csv"
    names: list[Any] = list(RUNS)
    wrong: list[str] = []
    for rank in range(asked.first, asked.first + asked.count):
        wrong += kill_one(names[rank % len(names)], rank // len(names), url, random.Random(rank))
        print(f"kill {rank}, {len(wrong)} wrong", flush=True)
    server.shutdown()
    print("\n".join(wrong))
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
