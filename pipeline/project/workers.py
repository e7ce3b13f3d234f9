"""Work side by side: so many fits at a time, one thread each, here or on a Dask cluster, with a sign of progress."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from pipeline.project.errors import DataError

SECONDS_TO_CONNECT = 10


Step = Callable[..., None]  # step(count, note): so much more is done
Progress = Callable[[int, str, str], AbstractContextManager[Step]]  # progress(total, title, unit)


@contextmanager
def no_progress(total: int, title: str, unit: str = "fit") -> Iterator[Step]:
    """Show nothing."""
    yield lambda count=1, note="": None


def _nothing(place: int, result) -> None:
    pass


@contextmanager
def pool(workers: int, dask: str | None = None):
    """Yield run(function, shared, jobs, done): a list of function(shared, *job) in the jobs' order; the first error ends the run.

    `done` is called with the place and the result of each as it comes. Without the address of a Dask scheduler the workers are
    threads: the libraries leave Python's lock while they fit, and nothing is copied or started anew. A Dask cluster gets `shared`
    once, and repeats what a lost worker had.
    """
    if dask is None:
        yield lambda function, shared, jobs, done=_nothing: _in_threads(
            workers, function, shared, jobs, done
        )
        return
    with _client(dask) as client:
        held = {}
        yield lambda function, shared, jobs, done=_nothing: _on_cluster(
            client, held, function, shared, jobs, done
        )


def _in_threads(workers: int, function, shared, jobs: list[tuple], done) -> list:
    from joblib import Parallel, delayed

    def numbered(place, job):
        return place, function(shared, *job)

    results = [None] * len(jobs)
    for place, result in Parallel(
        n_jobs=workers, backend="threading", return_as="generator_unordered"
    )(delayed(numbered)(place, job) for place, job in enumerate(jobs)):
        results[place] = result
        done(place, result)
    return results


@contextmanager
def _client(address: str):
    import logging

    from distributed import Client

    logging.getLogger("distributed").setLevel(
        logging.CRITICAL
    )  # it tells of a lost connection on every try
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT)
    except (OSError, ValueError) as error:
        raise DataError(
            f"dask {address}: no scheduler answers there ({' '.join(str(error).split())[:120]}); start one with "
            f"`dask scheduler`, or leave --dask out"
        ) from None
    with client:
        yield client


def _on_cluster(client, held: dict, function, shared, jobs: list[tuple], done) -> list:
    from distributed import as_completed

    if id(shared) not in held:
        held[id(shared)] = (
            shared,
            client.scatter(shared, broadcast=True, hash=False),
        )  # keeps `shared`: its id stays its own
    futures = [client.submit(function, held[id(shared)][1], *job, pure=False) for job in jobs]
    places = {future.key: place for place, future in enumerate(futures)}
    results = [None] * len(jobs)
    try:
        for future, result in as_completed(futures, with_results=True):
            results[places[future.key]] = result
            done(places[future.key], result)
    finally:
        client.cancel(futures)
    return results
