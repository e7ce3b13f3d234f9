"""Work side by side: so many fits at a time, one thread each, here or on a Dask cluster, with a sign of progress."""

import argparse
import errno
import os
import sys
import time
import traceback
from contextlib import contextmanager

from pipeline.project.errors import PipelineError, UsageError

SECONDS_BETWEEN_LINES = 10


@contextmanager
def progress(total: int, title: str, unit: str = "fit"):
    """Yield step(count, note), which shows how much is done: a bar on a terminal, a line every ten seconds elsewhere."""
    if sys.stderr.isatty():
        from tqdm import tqdm

        with tqdm(total=total, desc=title, unit=unit, leave=False) as bar:

            def step(count=1, note=""):
                bar.set_postfix_str(note, refresh=False)
                bar.update(count)

            yield step
        return
    done, shown = 0, time.monotonic()

    def step(count=1, note=""):
        nonlocal done, shown
        done += count
        if time.monotonic() - shown > SECONDS_BETWEEN_LINES and done < total:
            shown = time.monotonic()
            print(
                f"{title}: {done} of {total} {unit}s{', ' * bool(note)}{note}",
                file=sys.stderr,
                flush=True,
            )

    yield step


ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
REMEDIES = {
    errno.ENOSPC: "free some space and run again",
    errno.EDQUOT: "free some space and run again",
    errno.EROFS: "make the folder writable or run elsewhere",
    errno.EACCES: "check the permissions of the file and its folder",
    errno.EPERM: "check the permissions of the file and its folder",
}


def parser(doc: str) -> argparse.ArgumentParser:
    """Return a parser that shows the script's own docstring as its help."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    return parser


def add_dataset(parser: argparse.ArgumentParser) -> None:
    """Add --dataset, which takes a name of params.yaml or `all`."""
    parser.add_argument(
        "--dataset",
        default="all",
        metavar="D",
        help="a dataset of params.yaml, or all (the default)",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where fits are done; no result depends on them."""
    parser.add_argument(
        "--workers", type=int, metavar="N", help="fits at a time, in place of params.yaml's"
    )
    parser.add_argument(
        "--dask", metavar="ADDRESS", help="of a Dask scheduler that does the fits: tcp://host:8786"
    )


def check_workers(args: argparse.Namespace) -> None:
    """Raise UsageError where --workers is no number of workers."""
    if args.workers is not None and args.workers < 1:
        raise UsageError(f"--workers {args.workers}: give 1 or more")


def limit_threads() -> None:
    """Let numerical libraries use one thread per fit, as many fits run at a time; they read it when they are first imported."""
    for variable in ONE_THREAD:
        os.environ[variable] = "1"


def run(main) -> None:
    """Run a script's main and leave with its exit status; an error is one line on standard error, --debug adds its traceback."""
    limit_threads()
    try:
        sys.exit(main() or 0)
    except (Exception, KeyboardInterrupt) as error:
        message, status = _told(error)
        if "--debug" in sys.argv:
            traceback.print_exc()
    script = sys.argv[0].rsplit("/", 1)[-1]
    print(f"{script}: error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)


def _told(error: BaseException) -> tuple[str, int]:
    """Return what to tell the user of an error, and the exit status."""
    if isinstance(error, PipelineError):
        return str(error), error.status
    if isinstance(error, KeyboardInterrupt):
        return "stopped; what was finished is kept, the same command goes on from there", 130
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return (
            f"{place}{error.strerror or error}; {REMEDIES.get(error.errno, 'check the path and run again')}",
            1,
        )
    # a fault of ours: the user still gets one line, and is told how to see the rest
    return f"unexpected {type(error).__name__}: {error}; --debug shows where", 1
