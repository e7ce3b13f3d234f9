"""How often the rules promote a challenger that is no better, and how often one that is.

    python benchmarks/promotion.py [--seeds 200]

Two models predict the same synthetic rows with errors of their own. "alike" are equally good, so that promoting the second by the
rule `better` is a mistake; else the second's errors are larger or smaller by 30 %. Each share is printed with its 95 % interval
(Wilson 1927).
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from pipeline import promotion, scoring     # noqa: E402
from pipeline.params import Register        # noqa: E402

ROWS = (30, 50, 100, 300, 1000)
QUESTIONS = {"alike, better": (0, "better"), "alike, not_worse": (0, "not_worse"), "30 % better, better": (0.3, "better"),
             "30 % worse, not_worse": (-0.3, "not_worse")}
CASES = {"regression, rmse": ("regression", "rmse"), "two classes, roc_auc": ("classification", "roc_auc"),
         "two classes, log_loss": ("classification", "log_loss")}


def outputs(task: str, rng: np.random.Generator, rows: int, gain: float) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return a target and the outputs of two models that share half of their errors; the second's are smaller by `gain`."""
    truth, shared = rng.normal(size=rows), rng.normal(size=rows)
    scores = [truth + spread * (shared + rng.normal(size=rows)) / 2**0.5 for spread in (0.5, 0.5 * (1 - gain))]
    if task == "regression":
        return truth, scores
    y = (rng.random(rows) < 1 / (1 + np.exp(-3 * truth))).astype(int)
    y[:2] = 0, 1
    chances = [1 / (1 + np.exp(-3 * score)) for score in scores]
    return y, [np.column_stack([1 - chance, chance]) for chance in chances]


def outcome(task: str, metric: str, rule: str, y: np.ndarray, both: list[np.ndarray], seed: int) -> str:
    """Return what the rule makes of a champion and a challenger."""
    measured = []
    for output in both:
        decisions = None if task == "regression" else output.argmax(axis=1)
        measured.append((scoring.score(task, y, output, decisions, ["0", "1"])[metric],
                         scoring.bootstrap(task, y, output, decisions, seed)[metric]))
    found = promotion.difference(metric, *measured, Register(name="Benchmark"))
    return promotion.judge(rule, {"rows": len(y), "metric": metric, **found})[0]


def wilson(hits: int, n: int) -> str:
    z, p = 1.96, hits / n
    middle, half = (p + z**2 / (2 * n)) / (1 + z**2 / n), z * (p * (1 - p) / n + z**2 / (4 * n**2))**0.5 / (1 + z**2 / n)
    return f"{p:6.1%} [{max(middle - half, 0):5.1%}, {min(middle + half, 1):5.1%}]"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    seeds = parser.parse_args(argv).seeds
    print(f"promoted, of {seeds} seeds each (synthetic rows)\n")
    print(f"{'':21} {'rows':>5} {' '.join(f'{question:>22}' for question in QUESTIONS)}")
    for name, (task, metric) in CASES.items():
        for rows in ROWS:
            shares = []
            for gain, rule in QUESTIONS.values():
                drawn = (outputs(task, np.random.default_rng([seed, rows]), rows, gain) for seed in range(seeds))
                hits = sum(outcome(task, metric, rule, *models, seed) == promotion.PROMOTED for seed, models in enumerate(drawn))
                shares.append(wilson(hits, seeds))
            print(f"{name:21} {rows:>5} {' '.join(f'{share:>22}' for share in shares)}", flush=True)


if __name__ == "__main__":
    main()
