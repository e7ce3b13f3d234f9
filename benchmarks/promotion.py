"""How often the rules promote a challenger that is no better, and how often one that is.

    python benchmarks/promotion.py [--seeds 1000] [--rows 50 100 300 1000]

Two models predict the same synthetic rows with errors of their own. "alike" are equally good, so that promoting the second by the
rule `better` is a mistake; else the second's errors are larger or smaller by 30 %. Each share is printed with its 95 % interval
(Wilson 1927). With fewer rows than register.min_rows, 50 by default, the pipeline makes no decision; the rules alone do.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed

from pipeline.project.params import Register
from pipeline.registry import promotion, promotion_log
from pipeline.registry.promotion import Evidence
from pipeline.scoring import bootstrap
from pipeline.scoring.rows import Rows

sys.path.insert(0, str(Path(__file__).parent.parent))

METRICS = {"regression": ("rmse",), "classification": ("roc_auc", "log_loss")}
QUESTIONS = {
    "alike, better": (0, "better"),
    "alike, not_worse": (0, "not_worse"),
    "30 % better, better": (0.3, "better"),
    "30 % worse, not_worse": (-0.3, "not_worse"),
}
GAINS = sorted({gain for gain, _ in QUESTIONS.values()})


def outputs(
    task: str, rng: np.random.Generator, rows: int, gain: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return a target and the outputs of two models that share half of their errors; the second's are smaller by `gain`."""
    truth, shared = rng.normal(size=rows), rng.normal(size=rows)
    scores = [
        truth + spread * (shared + rng.normal(size=rows)) / 2**0.5
        for spread in (0.5, 0.5 * (1 - gain))
    ]
    if task == "regression":
        return truth, scores
    y = (rng.random(rows) < 1 / (1 + np.exp(-3 * truth))).astype(int)
    y[:2] = 0, 1
    chances = [1 / (1 + np.exp(-3 * score)) for score in scores]
    return y, [np.column_stack([1 - chance, chance]) for chance in chances]


def promoted(task: str, rows: int, seed: int) -> list[tuple[str, str]]:
    """Return the (metric, question) of those rules that promote the challenger."""
    found = []
    for gain in GAINS:
        y, both = outputs(task, np.random.default_rng([seed, rows]), rows, gain)
        decisions = [None if task == "regression" else output.argmax(axis=1) for output in both]
        both_rows = [Rows(y, output, decided) for output, decided in zip(both, decisions)]
        for metric in METRICS[task]:
            old, new = (bootstrap.resampled(metric, rows, seed) for rows in both_rows)
            evidence = Evidence(
                rows=len(y),
                metric=metric,
                difference=promotion.compare(old, new, Register(name="Benchmark").margin),
            )
            for question, (asked, rule) in QUESTIONS.items():
                decision = promotion.decide_promotion(rule, evidence)
                if asked == gain and decision.outcome == promotion_log.PROMOTED:
                    found.append((metric, question))
    return found


def wilson(hits: int, n: int) -> str:
    z, p = 1.96, hits / n
    middle, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5 / (1 + z**2 / n),
    )
    return f"{p:6.1%} [{max(middle - half, 0):5.1%}, {min(middle + half, 1):5.1%}]"


def main(argv=None):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--rows", type=int, nargs="+", default=[50, 100, 300, 1000], metavar="N")
    parser.add_argument("--workers", type=int, default=2, metavar="N")
    args = parser.parse_args(argv)
    print(f"promoted, of {args.seeds} seeds each (synthetic rows)\n")
    print(f"{'':21} {'rows':>5} {' '.join(f'{question:>22}' for question in QUESTIONS)}")
    for task, metrics in METRICS.items():
        for rows in args.rows:
            jobs = (delayed(promoted)(task, rows, seed) for seed in range(args.seeds))
            hits = Counter(one for found in Parallel(n_jobs=args.workers)(jobs) for one in found)
            for metric in metrics:
                shares = [wilson(hits[metric, question], args.seeds) for question in QUESTIONS]
                name = f"{'two classes' if task == 'classification' else task}, {metric}"
                print(
                    f"{name:21} {rows:>5} {' '.join(f'{share:>22}' for share in shares)}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
