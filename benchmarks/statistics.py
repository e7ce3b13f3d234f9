"""Measure every statistical claim of the project, and write the table in docs/statistics.md.

    python -m benchmarks.statistics [--only NAME ...] [--trials N] [--fresh] [--workers 2]

Trials are kept in logs/statistics/NAME.jsonl: a run that was stopped goes on from there. After a
change of the code that is measured, start with --fresh.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from joblib import Parallel, delayed

from benchmarks import (
    choice,
    drift_after_training,
    drift_alarms,
    estimation,
    intervals,
    leaks,
    promotion,
)
from benchmarks.experiment import Claim, Experiment, Measured, measured
from pipeline.project import files

EXPERIMENTS: tuple[Experiment, ...] = (
    *drift_after_training.EXPERIMENTS,
    *drift_alarms.EXPERIMENTS,
    *estimation.EXPERIMENTS,
    *leaks.EXPERIMENTS,
    *promotion.EXPERIMENTS,
    *intervals.EXPERIMENTS,
    *choice.EXPERIMENTS,
)
# with fewer trials an interval meets nearly every range
FEWEST_TO_JUDGE = 20
TRIALS = Path("logs/statistics")
DOCUMENT = Path("docs/statistics.md")
BEGIN = "<!-- claims, made by `python -m benchmarks.statistics`: -->\n"
END = "<!-- end of claims -->\n"


def done_before(experiment: Experiment) -> dict[int, dict[str, float]]:
    """Return the figures of the trials that a run before this one has finished, by seed."""
    path = TRIALS / f"{experiment.name}.jsonl"
    if not path.is_file():
        return {}
    trials = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        trials[entry["seed"]] = entry["figures"]
    return trials


def run(experiment: Experiment, trials: int, workers: int) -> dict[int, dict[str, float]]:
    """Run the trials that are missing, append each as it ends, and return all by seed."""
    figures = done_before(experiment)
    missing = [seed for seed in range(trials) if seed not in figures]
    jobs = (delayed(one_trial)(experiment, seed) for seed in missing)
    path = TRIALS / f"{experiment.name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    finished = Parallel(n_jobs=workers, return_as="generator_unordered")(jobs)
    with path.open("a", encoding="utf-8") as log:
        for seed, outcome in finished:
            figures[seed] = outcome
            log.write(json.dumps({"seed": seed, "figures": outcome}) + "\n")
            log.flush()
            show_progress(experiment.name, len(figures), trials)
    return figures


def one_trial(experiment: Experiment, seed: int) -> tuple[int, dict[str, float]]:
    return seed, experiment.trial(seed)


def show_progress(name: str, finished: int, trials: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{name}: {finished} of {trials}", end="", file=sys.stderr, flush=True)


def rows(experiment: Experiment, figures: dict[int, dict[str, float]]) -> list[str]:
    """Return a row of the table for each claim of an experiment."""
    lines = []
    for claim in experiment.claims:
        values = [one[claim.figure] for one in figures.values() if claim.figure in one]
        if not values:
            lines.append(f"| {claim.says} | {experiment.data} | no trial says | 0 | not measured |")
            continue
        result = measured(values)
        cells = (claim.says, experiment.data, shown(result), f"{result.trials:,}")
        cells += (verdict(result, claim),)
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def verdict(result: Measured, claim: Claim) -> str:
    """Say whether a claim holds; few trials can show that one does not, and not that it does."""
    if not result.holds(claim):
        return "**no**"
    return "yes" if result.trials >= FEWEST_TO_JUDGE else "too few trials"


def shown(result: Measured) -> str:
    return f"{result.mean:.3f} [{result.low:.3f}, {result.high:.3f}]"


def write(table: list[str]) -> None:
    """Put the table between its marks in the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    first = text.index(BEGIN) + len(BEGIN)
    last = text.index(END)
    files.write_text(DOCUMENT, text[:first] + "\n".join(table) + "\n" + text[last:])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    names = [experiment.name for experiment in EXPERIMENTS]
    parser.add_argument("--only", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--trials", type=int, metavar="N", help="at most so many of each")
    parser.add_argument("--fresh", action="store_true", help="forget the trials of runs before")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    args = parser.parse_args(argv)
    table = [
        "| claim | data | measured [95 % interval] | trials | holds |",
        "|---|---|---|---|---|",
    ]
    for experiment in EXPERIMENTS:
        if args.only and experiment.name not in args.only:
            continue
        if args.fresh:
            (TRIALS / f"{experiment.name}.jsonl").unlink(missing_ok=True)
        trials = min(experiment.trials, args.trials or experiment.trials)
        lines = rows(experiment, run(experiment, trials, args.workers))
        print("\n".join(lines), flush=True)
        table += lines
    if not args.only:
        write(table)
        print(f"written: {DOCUMENT}")


if __name__ == "__main__":
    main()
