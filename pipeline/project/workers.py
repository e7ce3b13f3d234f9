"""Workers: fits side by side, one thread each, on this machine or on a Dask cluster."""

import logging
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.pool import ThreadPool
from queue import SimpleQueue
from typing import Any

from pipeline.project.errors import DataError

SECONDS_TO_CONNECT = 10
MOST_LETTERS = 120  # of another library's error

Step = Callable[..., None]  # step(count, note): so much more is done
Progress = Callable[[int, str, str], AbstractContextManager[Step]]  # progress(total, title, unit)
Job = tuple[Any, ...]
Jobs = Iterable[Job | None]
Done = Callable[[int, Any], None]  # done(place, result)
Run = Callable[..., list[Any]]  # run(function, shared, jobs, done)


@contextmanager
def no_progress(total: int, title: str, unit: str = "fit") -> Iterator[Step]:
    """Show nothing."""
    yield lambda count=1, note="": None


def _nothing(place: int, result: object) -> None:
    pass


@contextmanager
def pool(workers: int, dask: str | None = None) -> Iterator[Run]:
    """Yield run(function, shared, jobs, done).

    It returns a list of function(shared, *job) in the jobs' order; the first error ends the run.
    `done` is called with the place and the result of each as it comes; with `keep=False` it alone
    gets the results. A job is taken as a worker
    gets free, so that `jobs` may be a generator that follows the results: None in place of a job
    says that the next one is not known before another result. Without the address of a Dask
    scheduler the workers are threads: the libraries leave Python's lock while they fit, and nothing
    is copied or started anew. A Dask cluster gets `shared` once, and repeats what a lost worker
    had. Raises DataError where no scheduler answers.
    """
    if dask is None:
        yield _threads(workers)
        return
    with _client(dask) as client:
        yield _cluster(client)


def _threads(workers: int) -> Run:

    def run(
        function: Callable[..., Any],
        shared: Any,
        jobs: Jobs,
        done: Done = _nothing,
        keep: bool = True,
    ) -> list:
        finished: SimpleQueue = SimpleQueue()
        waiting = iter(jobs)
        results: dict[int, Any] = {}
        started = 0
        # the end of the block leaves the threads: after an error none of them is waited for
        with ThreadPool(workers) as threads:
            while True:
                for job in _known(waiting, workers - (started - len(results))):
                    call = (started, function, shared, job)
                    threads.apply_async(_placed, call, callback=finished.put)
                    started += 1
                if len(results) == started:
                    break
                place, result = finished.get()
                if isinstance(result, _Raised):
                    raise result.error
                results[place] = result if keep else None
                done(place, result)
        return [results[place] for place in range(started)]

    return run


@dataclass(frozen=True)
class _Raised:
    """The error that a job ended with."""

    error: BaseException


def _placed(place: int, function: Callable[..., Any], shared: Any, job: Job) -> tuple[int, Any]:
    """Return a job's place and its result, or the error that it raises."""
    try:
        return place, function(shared, *job)
    except BaseException as error:  # the thread that waits for the result raises it
        return place, _Raised(error)


def _known(jobs: Iterator[Job | None], most: int | float) -> Iterator[Job]:
    """Yield so many jobs at most, and stop before one that is not known yet."""
    count = 0
    while count < most:
        job = next(jobs, None)
        if job is None:
            return
        yield job
        count += 1


@contextmanager
def _client(address: str) -> Iterator[Any]:
    from distributed import Client

    # it reports a lost connection at every try
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:MOST_LETTERS]
        raise DataError(
            f"dask {address}: no scheduler answers there ({reason}); start one with `dask "
            f"scheduler`, or leave --dask out"
        ) from None
    with client:
        yield client


def _cluster(client: Any) -> Run:
    from distributed import as_completed

    # {id: (shared, its copy on the cluster)}; holding `shared` keeps its id its own
    held: dict[int, tuple[Any, Any]] = {}

    def run(
        function: Callable[..., Any],
        shared: Any,
        jobs: Jobs,
        done: Done = _nothing,
        keep: bool = True,
    ) -> list:
        if id(shared) not in held:
            held[id(shared)] = shared, client.scatter(shared, broadcast=True, hash=False)
        _, copy = held[id(shared)]
        waiting = iter(jobs)
        pending: dict[Any, int] = {}  # {future: place}
        results: dict[int, Any] = {}
        coming = as_completed(with_results=True)
        try:
            while True:
                # the scheduler shares them out, also to workers that come later
                for job in _known(waiting, math.inf):
                    future = client.submit(function, copy, *job, pure=False)
                    pending[future] = len(results) + len(pending)
                    coming.add(future)
                if not pending:
                    break
                future, result = next(coming)
                place = pending.pop(future)
                results[place] = result if keep else None
                done(place, result)
        finally:
            client.cancel(list(pending))
        return [results[place] for place in range(len(results))]

    return run
