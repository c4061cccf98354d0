"""Objects of a process are created again in a process forked from it, and once for all of its threads."""

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Lock, get_ident

import pytest

from qpvgeo.geometry.parallel import PerProcess, in_threads


def exit_code(call):
    """Exit code of a forked process: 0 where the call is true there."""
    child = os.fork()
    if not child:
        try:
            os._exit(not call())
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_lock_held_at_the_fork_is_free_in_the_child():
    lock = PerProcess(Lock)
    with lock.own():
        assert exit_code(lambda: lock.own().acquire(timeout=1)) == 0
        assert lock.own().locked()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes do not fork here")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_threads_of_a_child_share_one_object():
    held = PerProcess(object)

    def one():
        with ThreadPoolExecutor(8) as pool:
            return len(set(pool.map(lambda _: id(held.own()), range(64)))) == 1

    assert exit_code(one) == 0


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_jobs_are_answered_in_order_on_any_number_of_threads(monkeypatch, threads):
    monkeypatch.setattr("qpvgeo.settings.threads", threads)
    assert in_threads(lambda job: job * job, range(40)) == [job * job for job in range(40)]


def test_one_thread_is_that_of_the_caller(monkeypatch):
    monkeypatch.setattr("qpvgeo.settings.threads", 1)
    assert set(in_threads(lambda _: get_ident(), range(4))) == {get_ident()}
