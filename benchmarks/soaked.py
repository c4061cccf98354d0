"""The lookup service at half load for long: refusals, times of answers, and the memory of its workers as time goes on.

    python benchmarks/soaked.py FOLDER --seconds 3600      # published files, as `qpvgeo serve --data` takes them

Most requests ask for one point; one in fifty sends a batch of 100, one in two hundred a file of 1,000 rows. The rate is
half of what 16 clients reach in the first seconds. Of files and batches the service takes so many at once: where the
machine is short of time for them, it refuses some (503), and they are counted.
"""

import argparse
import json
import time
from collections import Counter

import numpy as np
import uvloop
from served import answers, get, load, ours, paced, points, post, resident


def tagged(lon, lat):
    rows = "".join(f"{row};{x};{y}\n" for row, (x, y) in enumerate(zip(lon, lat, strict=True)))
    return post("/v1/tag", f"id;lon;lat\n{rows}".encode())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--seconds", type=float, default=3_600)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    lon, lat, _ = points(asked.folder, 4_000)
    requests = get("/v1/locate", lon, lat)
    pairs = np.column_stack([lon, lat]).tolist()
    requests[::50] = [post("/v1/locate", json.dumps(pairs[:100]).encode())] * len(requests[::50])
    requests[7::200] = [tagged(lon[:1_000], lat[:1_000])] * len(requests[7::200])
    with ours(asked.folder, asked.workers) as (address, process):
        answers(address, requests[1:50])
        rate = uvloop.run(load(address, requests, 16))[0] / 2
        print(f"half load: {rate:.0f} a second", flush=True)
        begun, many, refused = time.perf_counter(), 0, Counter()
        while time.perf_counter() < begun + asked.seconds:
            took = uvloop.run(paced(address, requests, rate, seconds=min(30.0, asked.seconds), refused=refused))
            many += len(took)
            print(
                f"{time.perf_counter() - begun:6.0f} s, {many} answers, refused {dict(refused)}, "
                f"p50 {1e3 * np.median(took):.2f} ms, p99 {1e3 * np.quantile(took, 0.99):.1f} ms, "
                f"memory {resident(process)}",
                flush=True,
            )


if __name__ == "__main__":
    main()
