"""A real server on a loopback port, in a process of its own, and its client."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx


class Server:
    """`qpvgeo serve`, its client, and what it writes to standard error."""

    def __init__(self, folder, *options, **environment):
        self.errors = folder / "errors.txt"
        given = {key: value for key, value in os.environ.items() if not key.startswith("QPVGEO_") or "TEST" in key}
        given |= {"QPVGEO_CACHE": str(folder / "cache"), "QPVGEO_PROCESSED": "0", "TMPDIR": str(folder), **environment}
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "from qpvgeo.cli import main; main()",
                    "serve",
                    "--port",
                    "0",
                    "--json",
                    *options,
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=given,
                text=True,
            )
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.process.stdout.close()
            raise RuntimeError(self.errors.read_text(encoding="utf-8"))
        self.about = json.loads(line)
        self.there = [path.name for path in folder.glob("qpvgeo-service-*/worker-*")]
        self.client = httpx.Client(
            base_url=self.about["url"], timeout=60, headers={"accept-language": "en"}, trust_env=False
        )
        for _ in range(600):
            with contextlib.suppress(httpx.TransportError):
                self.client.get("/health", timeout=120)
                break

    def log(self):
        return self.errors.read_text(encoding="utf-8")

    def leftovers(self):
        """Folders of what was sent, which its workers hold."""
        return [path.name for path in self.errors.parent.glob("qpvgeo-service-*/worker-*/qpvgeo-*")]

    def workers(self):
        """Processes that answer now."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        named = {
            int(path.name.removeprefix("worker-")) for path in self.errors.parent.glob("qpvgeo-service-*/worker-*")
        }
        return named & {int(one) for one in children}

    def stop(self):
        """End it as systemd does; its status."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.stdout.close()
