"""What the service counts of itself, as Prometheus text: requests by path and status, seconds, nothing of askers."""

import bisect
import os
import threading
from collections import Counter

__all__ = ["Metrics"]

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one worker.

    Examples
    --------
    >>> metrics = Metrics()
    >>> metrics.seen("/v1/locate", "GET", 200, 0.004)
    >>> [line for line in metrics.text().splitlines() if line.startswith("qpvgeo_requests_total")][0][:64]
    'qpvgeo_requests_total{path="/v1/locate",method="GET",status="200'
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._buckets: dict[str, list[int]] = {}
        self._seconds: Counter[str] = Counter()
        self._counted: Counter[str] = Counter()
        self.in_flight = 0

    def seen(self, path: str, method: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        with self._lock:
            self._requests[path, method, status] += 1
            buckets = self._buckets.setdefault(path, [0] * (len(_SECONDS) + 1))
            buckets[bisect.bisect_left(_SECONDS, seconds)] += 1
            self._seconds[path] += seconds  # type: ignore[assignment]  # a Counter adds fractions too

    def add(self, name: str, many: int) -> None:
        """Count points or rows."""
        with self._lock:
            self._counted[name] += many

    def text(self) -> str:
        """All counters, in the text format of Prometheus."""
        worker = f'worker="{os.getpid()}"'
        lines = ["# HELP qpvgeo_requests_total Requests answered.", "# TYPE qpvgeo_requests_total counter"]
        with self._lock:
            for (path, method, status), many in sorted(self._requests.items()):
                lines.append(
                    f'qpvgeo_requests_total{{path="{path}",method="{method}",status="{status}",{worker}}} {many}'
                )
            lines += ["# HELP qpvgeo_request_seconds Time of an answer.", "# TYPE qpvgeo_request_seconds histogram"]
            for path, buckets in sorted(self._buckets.items()):
                total = 0
                for limit, many in zip((*_SECONDS, "+Inf"), buckets, strict=True):
                    total += many
                    lines.append(f'qpvgeo_request_seconds_bucket{{path="{path}",{worker},le="{limit}"}} {total}')
                lines.append(f'qpvgeo_request_seconds_sum{{path="{path}",{worker}}} {self._seconds[path]:.6f}')
                lines.append(f'qpvgeo_request_seconds_count{{path="{path}",{worker}}} {total}')
            lines += ["# HELP qpvgeo_points_total Points and rows tagged.", "# TYPE qpvgeo_points_total counter"]
            lines += [
                f'qpvgeo_points_total{{kind="{name}",{worker}}} {many}' for name, many in sorted(self._counted.items())
            ]
        lines += ["# HELP qpvgeo_in_flight Requests being answered.", "# TYPE qpvgeo_in_flight gauge"]
        lines.append(f"qpvgeo_in_flight{{{worker}}} {self.in_flight}")
        return "\n".join(lines) + "\n"
