"""How often the rules promote a challenger that is no better, and how often one that is.

    python -m benchmarks.promotion [--seeds 1000] [--rows 50 100 300 1000]

Two models predict the same synthetic rows with errors of their own. "alike" are equally good, so
that promoting the second by the rule `better` is a mistake; else the second's errors are larger or
smaller by 30 %. Each share is printed with its 95 % interval (Wilson 1927). With fewer rows than
register.min_rows, 50 by default, the pipeline makes no decision; the rules alone do.
"""

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import binomtest

from pipeline.project.params import Register
from pipeline.registry import promotion, promotion_log
from pipeline.registry.promotion import Evidence
from pipeline.scoring import bootstrap, thresholds
from pipeline.scoring.rows import Rows

METRICS = {"regression": ("rmse",), "classification": ("roc_auc", "log_loss")}
MARGIN = Register(name="Benchmark").margin
SPREAD = 0.5  # of a model's errors, where the target's is 1


@dataclass(frozen=True)
class Question:
    """How often a rule promotes a challenger whose errors are smaller by a share, `gain`."""

    title: str
    gain: float
    rule: str


QUESTIONS = (
    Question("alike, better", 0, "better"),
    Question("alike, not_worse", 0, "not_worse"),
    Question("30 % better, better", 0.3, "better"),
    Question("30 % worse, not_worse", -0.3, "not_worse"),
)


def pair(task: str, rng: np.random.Generator, rows: int, gain: float) -> tuple[Rows, Rows]:
    """Return what two models predict that share half of their errors; the second's are smaller."""
    truth, shared = rng.normal(size=rows), rng.normal(size=rows)
    guesses = []
    for spread in (SPREAD, SPREAD * (1 - gain)):
        guesses.append(truth + spread * (shared + rng.normal(size=rows)) / 2**0.5)
    one, other = guesses
    if task == "regression":
        return Rows(truth, one), Rows(truth, other)
    y = (rng.random(rows) < chance(truth)).astype(int)
    # both classes are there
    y[:2] = 0, 1
    return classified(y, chance(one)), classified(y, chance(other))


def chance(value: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-3 * value))


def classified(y: np.ndarray, positive: np.ndarray) -> Rows:
    return thresholds.decided(Rows(y, np.column_stack([1 - positive, positive])), None)


def promoted(task: str, rows: int, seed: int) -> list[tuple[str, str]]:
    """Return the (metric, title of a question) of those rules that promote the challenger."""
    answers = []
    for question in QUESTIONS:
        rng = np.random.default_rng([seed, rows])
        for evidence in evidences(pair(task, rng, rows, question.gain), METRICS[task], seed):
            decision = promotion.decide_promotion(question.rule, evidence)
            if decision.outcome == promotion_log.PROMOTED:
                answers.append((evidence.metric or "", question.title))
    return answers


def evidences(models: tuple[Rows, Rows], metrics: Sequence[str], seed: int) -> Iterator[Evidence]:
    """Yield the evidence on two models by each metric."""
    for metric in metrics:
        champion, challenger = (bootstrap.resampled(metric, rows, seed) for rows in models)
        difference = promotion.compare(champion, challenger, MARGIN)
        yield Evidence(rows=len(models[0]), metric=metric, difference=difference)


def share(hits: int, n: int) -> str:
    """Return a share with its interval, as it is printed."""
    low, high = binomtest(hits, n).proportion_ci(method="wilson")
    return f"{hits / n:6.1%} [{low:5.1%}, {high:5.1%}]"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 100, 300, 1000], metavar="N")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    args = parser.parse_args(argv)
    titles = " ".join(f"{question.title:>22}" for question in QUESTIONS)
    print(f"promoted, of {args.seeds} seeds each (synthetic rows)\n")
    print(f"{'':21} {'rows':>5} {titles}")
    for task, metrics in METRICS.items():
        name = "two classes" if task == "classification" else task
        for rows in args.rows:
            jobs = (delayed(promoted)(task, rows, seed) for seed in range(args.seeds))
            hits: Counter[tuple[str, str]] = Counter()
            for answers in Parallel(n_jobs=args.workers)(jobs):
                hits.update(answers)
            for metric in metrics:
                shares = [share(hits[metric, one.title], args.seeds) for one in QUESTIONS]
                cells = " ".join(f"{text:>22}" for text in shares)
                print(f"{f'{name}, {metric}':21} {rows:>5} {cells}", flush=True)


if __name__ == "__main__":
    main()
