"""Work side by side: in order, never more than so many at a time, and ended by the first error."""

import threading
import time

import pytest

from pipeline import command
from pipeline.project import workers


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_results_come_in_the_order_of_the_jobs(n_workers):
    def job(shared, number, seconds):
        time.sleep(seconds)
        assert shared == "shared"
        return number

    jobs = [(0, 0.05), (1, 0.0), (2, 0.03), (3, 0.0), (4, 0.0)]
    with workers.pool(n_workers) as run:
        assert run(job, "shared", jobs) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("n_workers", [1, 3])
def test_so_many_jobs_run_at_a_time_and_never_more(n_workers):
    lock, running, most = threading.Lock(), set(), []
    all_at_work = threading.Barrier(n_workers, timeout=20)

    def job(shared, number):
        with lock:
            running.add(number)
            most.append(len(running))
        all_at_work.wait()
        with lock:
            running.remove(number)

    with workers.pool(n_workers) as run:
        run(job, None, [(number,) for number in range(12)])
    assert max(most) == n_workers


@pytest.mark.parametrize("n_workers", [1, 2])
def test_first_error_is_raised_as_it_is_and_ends_the_run(n_workers):
    started = []

    def job(shared, number):
        started.append(number)
        time.sleep(0.01)
        if number >= 3:
            raise LookupError(f"job {number}")

    with workers.pool(n_workers) as run, pytest.raises(LookupError, match="job 3"):
        run(job, None, [(number,) for number in range(50)])
    assert len(started) < 50


def test_each_result_is_handed_on_with_its_place_as_it_comes():
    came = []
    with workers.pool(2) as run:
        run(
            lambda shared, number: number * 10,
            None,
            [(1,), (2,), (3,)],
            lambda place, result: came.append((place, result)),
        )
    assert sorted(came) == [(0, 10), (1, 20), (2, 30)]


def test_progress_is_told_in_lines_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(command, "SECONDS_BETWEEN_LINES", -1)
    with command.progress(3, "tune iris", "trial") as step:
        step()
        step(1, "best 0.5")
        step()
    assert (
        capsys.readouterr().err == "tune iris: 1 of 3 trials\ntune iris: 2 of 3 trials, best 0.5\n"
    )


def test_short_work_prints_nothing(capsys):
    with command.progress(2, "train iris") as step:
        step(2)
    assert capsys.readouterr() == ("", "")
