"""The command line that all scripts share: options, settings, errors in one line, progress."""

import argparse
import errno
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.own import recorded
from pipeline.project import params, paths
from pipeline.project.errors import PipelineError, UsageError
from pipeline.project.params import Dataset, Params
from pipeline.project.settings.judging import Gate
from pipeline.project.workers import Step
from pipeline.scoring import metrics
from pipeline.scoring.definitions.classification import COST
from pipeline.scoring.definitions.metric import Metric
from pipeline.scoring.terms import own_metrics

SECONDS_BETWEEN_LINES = 10
# numerical libraries read these when they are loaded
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
DISK_FULL = "free some space and run again"
NOT_ALLOWED = "check the permissions of the file and its folder"
REMEDIES = {
    errno.ENOSPC: DISK_FULL,
    errno.EDQUOT: DISK_FULL,
    errno.EROFS: "make the folder writable or run elsewhere",
    errno.EACCES: NOT_ALLOWED,
    errno.EPERM: NOT_ALLOWED,
}
# the functions of `ops.completion` that complete datasets, in each shell
COMPLETE_DATASETS, COMPLETE_DATASETS_OR_ALL = "_datasets_of_params", "_datasets_or_all"
SHELLS = ("bash", "zsh")
STOPPED = "stopped; what was there before stays, the same command starts anew"
# of a command that keeps what it has done so far
STOPPED_AND_GOES_ON = "stopped; what was finished is kept, the same command goes on from there"
STOPPED_STATUS = 130


def tell_of_end(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Show an error that nothing caught; one line for Ctrl-C while a script loads its libraries."""
    if issubclass(kind, KeyboardInterrupt):
        print(f"{Path(sys.argv[0]).name}: stopped before it began", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = tell_of_end


def parser(doc: str | None) -> argparse.ArgumentParser:
    """Return a parser that shows the script's own docstring as its help.

    Its option --print-completion is for `ops.completion`.
    """
    parser = argparse.ArgumentParser(
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.add_argument(
        "--print-completion", action=PrintCompletion, choices=SHELLS, help=argparse.SUPPRESS
    )
    return parser


class PrintCompletion(argparse.Action):
    """Prints what a shell needs to complete the script's options, and ends."""

    def __call__(
        self, parser: argparse.ArgumentParser, _: object, shell: object, *__: object
    ) -> None:
        import shtab

        print(shtab.complete(parser, str(shell)))
        parser.exit()


def add_dataset(parser: argparse.ArgumentParser, required: bool = False) -> None:
    """Add --dataset, which takes a name of params.yaml or, unless it is required, `all`."""
    help_text = "a dataset of params.yaml"
    if not required:
        help_text += ", or all (the default)"
    default = None if required else "all"
    action = parser.add_argument(
        "--dataset", required=required, default=default, metavar="D", help=help_text
    )
    function = COMPLETE_DATASETS if required else COMPLETE_DATASETS_OR_ALL
    setattr(action, "complete", dict.fromkeys(SHELLS, function))  # noqa: B010


def add_trust_code(parser: argparse.ArgumentParser) -> None:
    """Add the option by which the code that lies beside a model may run."""
    parser.add_argument(
        recorded.TRUST_CODE,
        action="store_true",
        help="run the copy of your own code that is stored with the model, if this checkout has "
        "another version",
    )


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where fits are done; no result depends on them."""
    parser.add_argument(
        "--workers", type=int, metavar="N", help="number of fits at a time; overrides params.yaml"
    )
    parser.add_argument(
        "--dask",
        metavar="ADDRESS",
        help="address of a Dask scheduler to run the fits: tcp://host:8786",
    )


def check_workers(args: argparse.Namespace) -> None:
    """Raise UsageError where --workers is below 1."""
    if args.workers is not None and args.workers < 1:
        raise UsageError(f"--workers {args.workers}: give 1 or more")


def settings() -> Params:
    """Return the settings of params.yaml; raises UsageError as `params.load` and `checked` do."""
    return checked(params.load())


def checked(settings: Params) -> Params:
    """Return the settings; raises UsageError where one names a metric that is not known.

    The user's own metrics are known from then on.
    """
    own_metrics.declare(settings)
    for name, dataset in settings.datasets.items():
        block, known = f"datasets.{name}", metrics.of_settings(dataset)
        primary = dataset.train.primary_metric
        if primary not in [metric.name for metric in known]:
            raise _not_a_metric(f"{block}.train.primary_metric", primary, dataset)
        for metric, gate in dataset.gates.items():
            if not _may_be_gated(metric, known):
                raise _not_a_metric(f"{block}.gates.{metric}", metric, dataset)
            _check_bounds(f"{block}.gates.{metric}", metric, gate)
            if gate.by != "value" and "__" in metric:
                raise UsageError(
                    f"{paths.PARAMS}: {block}.gates.{metric}: by: {gate.by} needs an interval, "
                    f"which the metrics of a single class do not have; remove it"
                )
    return settings


def _may_be_gated(name: str, known: list[Metric]) -> bool:
    """Return whether a gate may name one of these metrics, or that of a class: `f1__virginica`."""
    base, of_a_class, _ = name.partition("__")
    return any(metric.name == base and (metric.by_class or not of_a_class) for metric in known)


def _check_bounds(key: str, name: str, gate: Gate) -> None:
    """Raise UsageError for a bound beyond a metric's best value: every model fails it, or none."""
    metric = metrics.lookup(name)
    word, remedy = ("above", "write 85 % as 0.85") if metric.greater_is_better else ("below", "")
    for side, bound in (("min", gate.min), ("max", gate.max)):
        if bound is not None and metric.is_beyond_perfect(bound):
            fault = f"{bound:g} is {word} {metric.perfect:g}, the best {metric.name} there is"
            text = f"{paths.PARAMS}: {key}.{side}: {fault}"
            raise UsageError(f"{text}; {remedy}" if remedy else text)


def _not_a_metric(key: str, name: str, dataset: Dataset) -> UsageError:
    allowed = ", ".join(metric.name for metric in metrics.of_settings(dataset))
    task, remedy = dataset.data.task, ""
    if name == COST and task == "classification":
        remedy = "; set train.costs for it"
    return UsageError(
        f"{paths.PARAMS}: {key}: {name!r} is not a metric of {task}; allowed: {allowed}{remedy}"
    )


@contextmanager
def progress(total: int, title: str, unit: str = "fit") -> Iterator[Step]:
    """Yield step(count, note), which shows how much is done; a total of 0 is one that is not known.

    It is a bar on a terminal, and a line every ten seconds elsewhere.
    """
    if sys.stderr.isatty():
        with _bar(total, title, unit) as step:
            yield step
    else:
        yield _lines(total, title, unit)


@contextmanager
def _bar(total: int, title: str, unit: str) -> Iterator[Step]:
    from tqdm import tqdm

    with tqdm(total=total or None, desc=title, unit=unit, leave=False) as bar:

        def step(count: int = 1, note: str = "") -> None:
            bar.set_postfix_str(note, refresh=False)
            bar.update(count)

        yield step


def _lines(total: int, title: str, unit: str) -> Step:
    done, shown = 0, time.monotonic()

    def step(count: int = 1, note: str = "") -> None:
        nonlocal done, shown
        done += count
        is_last = done == total
        if time.monotonic() - shown > SECONDS_BETWEEN_LINES and not is_last:
            shown = time.monotonic()
            line = f"{title}: {done} of {total} {unit}s" if total else f"{title}: {done} {unit}s"
            print(f"{line}, {note}" if note else line, file=sys.stderr, flush=True)

    return step


def limit_threads() -> None:
    """Let numerical libraries use one thread per fit, as many fits run at a time.

    Those that are loaded, as numpy's BLAS is, are told; the others read the environment later.
    """
    for variable in ONE_THREAD:
        os.environ[variable] = "1"
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)


def run(main: Callable[[], int | None], stopped: str = STOPPED) -> None:
    """Run a script's main and leave with its exit status.

    An error is one line on standard error; --debug adds its traceback. `stopped` says what Ctrl-C
    leaves.
    """
    limit_threads()
    try:
        sys.exit(main() or 0)
    except (Exception, KeyboardInterrupt) as error:
        message, status = _message_and_status(error, stopped)
        if "--debug" in sys.argv:
            traceback.print_exc()
    script = Path(sys.argv[0]).name
    print(f"{script}: error: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(status)


def _message_and_status(error: BaseException, stopped: str) -> tuple[str, int]:
    """Return what to say of an error, and the exit status."""
    if isinstance(error, PipelineError):
        return str(error), error.status
    if isinstance(error, KeyboardInterrupt):
        return stopped, STOPPED_STATUS
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        remedy = REMEDIES.get(error.errno or 0, "check the path and run again")
        return f"{place}{error.strerror or error}; {remedy}", 1
    # a fault of ours: the user still gets one line, which says how to see the rest
    return f"unexpected {type(error).__name__}: {error}; --debug shows where", 1
