"""The process that watches the workers: it replaces those that die, and renews all of them with the data of the day."""

import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

from qpvgeo.service.problems import renewal_failed

__all__ = ["Supervisor"]

_ASKED_S, _BETWEEN_S = 1.0, 0.05


class Supervisor(Multiprocess):
    """Workers of `uvicorn`, renewed by SIGHUP once the data are read again; until then the former ones answer.

    Parameters
    ----------
    config, sockets
        As for `uvicorn`.
    folder
        That of this run: workers have one each in it (`worker-` and the number of the process).
    renew
        Reads the data again, for the workers that start from then on.
    ready
        Called once all of them answer.
    """

    def __init__(
        self,
        config: Config,
        sockets: list[socket.socket],
        folder: Path,
        renew: Callable[[], object],
        ready: Callable[[], object],
    ) -> None:
        super().__init__(config, sockets)
        self._folder = folder
        self._renew, self._announce = renew, ready
        self._reading: threading.Thread | None = None
        self._again = self._ready = False

    def init_processes(self) -> None:
        """Start the workers, and announce them when none has anything left to read."""
        super().init_processes()
        while not all(one.is_ready(timeout=_ASKED_S) for one in self.processes):
            self.handle_signals()
            self.keep_subprocess_alive()
            if self.should_exit.wait(_BETWEEN_S):
                return
        self._announce()

    def handle_hup(self) -> None:
        """Begin to read the data; what comes while they are read is done after it."""
        if self._reading is not None:
            self._again = True
            return
        # a signal to end is obeyed in the meantime
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        try:
            self._renew()
        except Exception as error:  # noqa: BLE001 - the workers go on with what they have
            renewal_failed(error)
        else:
            self._ready = True

    def keep_subprocess_alive(self) -> None:
        """Replace the workers that died, and remove what they were sent."""
        super().keep_subprocess_alive()
        alive = {f"worker-{one.pid}" for one in self.processes}
        for left in self._folder.glob("worker-*"):
            if left.name not in alive:
                shutil.rmtree(left, ignore_errors=True)

    def handle_signals(self) -> None:
        """Answer signals, and renew the workers, one after the other, once the data are read."""
        super().handle_signals()
        if self._reading is None or self._reading.is_alive():
            return
        self._reading = None
        if self._ready:
            self._ready = False
            self.restart_all()
        if self._again:
            self._again = False
            self.handle_hup()
