"""Work side by side: so many fits at a time, one thread each, with a sign of progress."""

import sys
import time

SECONDS_BETWEEN_LINES = 10


def run(function, jobs: list[tuple], workers: int, title: str, unit: str = "fit") -> list:
    """Return function(*job) for every job, in the jobs' order, `workers` at a time; the first error ends the run.

    The workers are threads: the libraries leave Python's lock while they fit, and nothing is copied or started anew.
    """
    from joblib import Parallel, delayed

    def numbered(place, job):
        return place, function(*job)

    results = [None] * len(jobs)
    done = Parallel(n_jobs=workers, backend="threading", return_as="generator_unordered")(
        delayed(numbered)(place, job) for place, job in enumerate(jobs))
    for place, result in progress(done, len(jobs), title, unit):
        results[place] = result
    return results


def progress(items, total: int, title: str, unit: str = "fit"):
    """Yield the items; show how many came: a bar on a terminal, a line every ten seconds elsewhere."""
    if sys.stderr.isatty():
        from tqdm import tqdm
        yield from tqdm(items, total=total, desc=title, unit=unit, leave=False)
        return
    shown = time.monotonic()
    for count, item in enumerate(items, start=1):
        yield item
        if time.monotonic() - shown > SECONDS_BETWEEN_LINES and count < total:
            shown = time.monotonic()
            print(f"{title}: {count} of {total} {unit}s", file=sys.stderr, flush=True)
