"""Work side by side: in order, never more than so many at a time, and ended by the first error."""

import threading
import time

import pytest

from pipeline import workers


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_results_come_in_the_order_of_the_jobs(n_workers):
    def job(number, seconds):
        time.sleep(seconds)
        return number

    jobs = [(0, 0.05), (1, 0.0), (2, 0.03), (3, 0.0), (4, 0.0)]
    assert workers.run(job, jobs, n_workers, "train iris") == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("n_workers", [1, 3])
def test_so_many_jobs_run_at_a_time_and_never_more(n_workers):
    lock, running, most = threading.Lock(), set(), []

    def job(number):
        with lock:
            running.add(number)
            most.append(len(running))
        time.sleep(0.02)
        with lock:
            running.remove(number)

    workers.run(job, [(number,) for number in range(12)], n_workers, "train iris")
    assert max(most) == n_workers


@pytest.mark.parametrize("n_workers", [1, 2])
def test_first_error_is_raised_as_it_is_and_ends_the_run(n_workers):
    started = []

    def job(number):
        started.append(number)
        time.sleep(0.01)
        if number >= 3:
            raise LookupError(f"job {number}")

    with pytest.raises(LookupError, match="job 3"):
        workers.run(job, [(number,) for number in range(50)], n_workers, "train iris")
    assert len(started) < 10


def test_progress_is_told_in_lines_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(workers, "SECONDS_BETWEEN_LINES", -1)
    assert list(workers.progress(iter("abc"), 3, "train iris")) == ["a", "b", "c"]
    assert capsys.readouterr().err == "train iris: 1 of 3 fits\ntrain iris: 2 of 3 fits\n"


def test_short_work_prints_nothing(capsys):
    workers.run(abs, [(-1,), (-2,)], 2, "train iris")
    assert capsys.readouterr() == ("", "")
