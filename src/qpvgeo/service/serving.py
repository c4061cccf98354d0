"""The service on a port: data read once, in a process of its own; workers that share it; an end that is graceful."""

import dataclasses
import gc
import json
import logging
import multiprocessing
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qpvgeo.errors import OutputError, QpvgeoError, UsageError, judged
from qpvgeo.language import Note
from qpvgeo.service.limits import Limits

if TYPE_CHECKING:
    from starlette.applications import Starlette

__all__ = ["serve", "worker_app"]

_STATE = "QPVGEO_SERVICE_STATE"
"""Variable by which the workers of a run find what it wrote for them."""

_GRACE_S = 30
_START_S = 60  # a worker may start slowly on a machine that is busy
_MOST_WORKERS = 64
_MEMORY = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
}
"""What makes workers give back the memory of a file once it is answered; read by them when they start."""


@judged
def serve(  # noqa: PLR0913 - what is served, where, to whom
    data: str | os.PathLike[str] | None = None,
    *,
    address: tuple[str, int] = ("127.0.0.1", 8000),
    workers: int = 1,
    limits: Limits | None = None,
    origins: Sequence[str] = ("*",),
    geocoder: str | None = None,
    ready: Callable[[dict[str, Any]], None] | None = None,
    **reading: bool,
) -> None:
    """Serve until a signal ends the process; requests begun are then answered first.

    Parameters
    ----------
    data
        Folder searched first (see `qpvgeo.load`).
    address
        Host and port; port 0 takes a free one.
    workers
        Processes that answer. SIGHUP reads the data again, then renews them one by one.
    limits, origins, geocoder
        As for `create_app`.
    ready
        Called once the workers answer, with `url`, `workers`, `vintages` and `fictional`.
    **reading
        `fetch`, `sample`, `grid` of `Held.read`, and `page`: whether to make the atlas.

    Raises
    ------
    UsageError
        The host and port are not free, or there are too many workers.
    MissingDataError
        No perimeters are available.
    """
    if not 1 <= workers <= _MOST_WORKERS:
        raise UsageError(Note("service.not_workers", given=str(workers), most=_MOST_WORKERS))
    if geocoder is not None:
        from qpvgeo.service.geocoder import Geocoder  # noqa: PLC0415 - where one is named

        Geocoder(geocoder)
    sock = _bound(*address)
    # threads within a call cost more than they bring to a batch
    os.environ.setdefault("QPVGEO_THREADS", "1")
    settings = {
        "limits": dataclasses.asdict(limits or Limits()),
        "origins": list(origins),
        "geocoder": geocoder,
    }
    reading |= {"addresses": geocoder is not None}
    with sock, tempfile.TemporaryDirectory(prefix="qpvgeo-service-", ignore_cleanup_errors=True) as folder:
        _log()
        about = _renewed(Path(folder), settings, data, reading)
        # the process that reads the data gives all back when it ends, and is slower with them
        for name, value in _MEMORY.items():
            os.environ.setdefault(name, value)

        def announced() -> None:
            if ready is not None:
                host, port = sock.getsockname()[:2]
                ready({"url": f"http://{f'[{host}]' if ':' in host else host}:{port}", "workers": workers, **about})

        _run(sock, workers, Path(folder), lambda: _renewed(Path(folder), settings, data, reading), announced)


def _renewed(
    folder: Path, settings: dict[str, Any], data: str | os.PathLike[str] | None, reading: dict[str, bool]
) -> dict[str, Any]:
    """Have the data read into a folder of their own, for the workers that start from then on."""
    now = os.environ.get(_STATE, "")
    for former in folder.glob("held-*"):
        # what the workers were last started from stays until the next time: one may be starting
        if str(former / "held") != now:
            shutil.rmtree(former, ignore_errors=True)
    own = Path(tempfile.mkdtemp(prefix="held-", dir=folder))
    state = own / "held"
    try:
        about = _built(state, data, reading)
    except QpvgeoError:
        shutil.rmtree(own, ignore_errors=True)
        raise
    state.with_suffix(".json").write_text(json.dumps(settings), encoding="utf-8")
    os.environ[_STATE] = str(state)
    return about


def _bound(host: str, port: int) -> socket.socket:
    """Socket that listens there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family)
    try:
        # on Windows the option of the other systems would let two services have one port
        option = getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR)
        sock.setsockopt(socket.SOL_SOCKET, option, 1)
        sock.bind((host, port))
        # what comes while the data are read waits here
        sock.listen(2048)
    except (OSError, OverflowError) as error:
        sock.close()
        raise OutputError(
            Note("service.port_taken", host=host, port=port, why=str(error)), way_out=Note("service.other_port")
        ) from error
    return sock


def _built(state: Path, data: str | os.PathLike[str] | None, reading: dict[str, bool]) -> dict[str, Any]:
    """Have the data read and written in another process, whose memory is given back."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_build, args=(theirs, str(state), None if data is None else os.fspath(data), reading), daemon=True
    )
    process.start()
    theirs.close()
    try:
        kind, value = ours.recv()
    except EOFError as error:
        raise OutputError(Note("service.not_built"), way_out=Note("service.look_above")) from error
    finally:
        process.join()
    if kind == "error":
        raise value
    about: dict[str, Any] = value
    return about


def _build(pipe: Any, state: str, data: str | None, reading: dict[str, bool]) -> None:  # noqa: ANN401 - a connection
    """Read the data, and write them for the workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from qpvgeo.service.served_data import Held  # noqa: PLC0415 - the process that watches the workers stays small

    page, addresses = reading.pop("page", True), reading.pop("addresses", False)
    try:
        held = Held.read(data, **reading)
        if page:
            from qpvgeo.service.live_page import with_pages  # noqa: PLC0415 - maps are not needed without

            held = with_pages(held, addresses=addresses)
        held.save(Path(state))
    except QpvgeoError as error:
        pipe.send(("error", error))
    else:
        told = {"vintages": held.vintages, "fictional": held.fictional, "grids": len(held.grids)}
        pipe.send(("done", told))
    finally:
        pipe.close()


def worker_app() -> "Starlette":
    """Application of a worker, from what its run wrote."""
    from qpvgeo.service.app import create_app  # noqa: PLC0415 - the process that watches the workers stays small
    from qpvgeo.service.rehearsal import rehearse  # noqa: PLC0415
    from qpvgeo.service.served_data import Held  # noqa: PLC0415

    threading.Thread(target=_end_with_the_watcher, daemon=True).start()
    state = Path(os.environ[_STATE])
    # what askers send is written where the process that watches finds it, should this one be killed
    tempfile.tempdir = str(_own_folder(state.parent.parent, os.getpid()))
    settings = json.loads(state.with_suffix(".json").read_text(encoding="utf-8"))
    _log()
    held = Held.load(state)
    held.ready()
    limits = Limits(**settings["limits"])
    app = create_app(held, limits, origins=settings["origins"], geocoder=settings["geocoder"])
    rehearse(held, limits)
    # what is held lives as long as the worker: to look through it for garbage takes longer than to answer
    gc.collect()
    gc.freeze()
    return app


def _end_with_the_watcher() -> None:
    """End once the process that watches is killed: nobody would renew or end this one, which holds the port."""
    watcher = multiprocessing.parent_process()
    if watcher is not None:
        watcher.join()
        os.kill(os.getpid(), signal.SIGTERM)


def _own_folder(folder: Path, pid: int) -> Path:
    """Folder of a worker for what it writes while it answers."""
    own = folder / f"worker-{pid}"
    own.mkdir(mode=0o700, exist_ok=True)
    return own


def _log() -> None:
    """Lines of requests to standard error, as they are."""
    logger = logging.getLogger("qpvgeo.service")
    if not logger.handlers:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _run(
    sock: socket.socket, workers: int, folder: Path, renew: Callable[[], object], ready: Callable[[], object]
) -> None:
    try:
        import uvicorn  # noqa: PLC0415 - the extra

        from qpvgeo.service.connections import Connection  # noqa: PLC0415
        from qpvgeo.service.supervising import Supervisor  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(Note("service.needs_extra"), way_out=Note("maps.page_install", extra="service")) from error
    config = uvicorn.Config(
        "qpvgeo.service.serving:worker_app",
        factory=True,
        http=Connection,
        workers=workers,
        access_log=False,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
        timeout_worker_healthcheck=_START_S,
        limit_concurrency=1_000,
    )
    # one worker is watched too, and replaced when it dies
    Supervisor(config, [sock], folder, renew, ready).run()
