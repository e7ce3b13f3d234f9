"""Workers: fits side by side, one thread each, on this machine or on a Dask cluster."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from joblib import Parallel, delayed

from pipeline.project.errors import DataError

SECONDS_TO_CONNECT = 10
MOST_LETTERS = 120  # of another library's error

Step = Callable[..., None]  # step(count, note): so much more is done
Progress = Callable[[int, str, str], AbstractContextManager[Step]]  # progress(total, title, unit)
Jobs = list[tuple[Any, ...]]
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
    `done` is called with the place and the result of each as it comes. Without the address of a
    Dask scheduler the workers are threads: the libraries leave Python's lock while they fit, and
    nothing is copied or started anew. A Dask cluster gets `shared` once, and repeats what a lost
    worker had. Raises DataError where no scheduler answers.
    """
    if dask is None:
        yield _threads(workers)
        return
    with _client(dask) as client:
        yield _cluster(client)


def _threads(workers: int) -> Run:

    def run(function: Callable[..., Any], shared: Any, jobs: Jobs, done: Done = _nothing) -> list:
        def numbered(place: int, job: tuple[Any, ...]) -> tuple[int, Any]:
            return place, function(shared, *job)

        results: list[Any] = [None] * len(jobs)
        parallel = Parallel(n_jobs=workers, backend="threading", return_as="generator_unordered")
        calls = (delayed(numbered)(place, job) for place, job in enumerate(jobs))
        for place, result in parallel(calls):
            results[place] = result
            done(place, result)
        return results

    return run


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

    def run(function: Callable[..., Any], shared: Any, jobs: Jobs, done: Done = _nothing) -> list:
        if id(shared) not in held:
            held[id(shared)] = shared, client.scatter(shared, broadcast=True, hash=False)
        _, copy = held[id(shared)]
        futures = [client.submit(function, copy, *job, pure=False) for job in jobs]
        places = {future.key: place for place, future in enumerate(futures)}
        results: list[Any] = [None] * len(jobs)
        try:
            for future, result in as_completed(futures, with_results=True):
                place = places[future.key]
                results[place] = result
                done(place, result)
        finally:
            client.cancel(futures)
        return results

    return run
