"""Whether a model of pure noise becomes champion: the stages before register, on synthetic noise.

    python -m benchmarks.statistics --only noise

No gate is set: the verdict of the comparison and the evidence against guessing decide alone.
"""

import tempfile
from contextlib import chdir
from pathlib import Path

import numpy as np
import pandas as pd

import compare_results
import generate_data
import prepare_data
import register_model
import train
import validate_metrics
from benchmarks.experiment import Claim, Experiment
from pipeline.data import splits
from pipeline.project import files, params, paths
from pipeline.registry import bundles, evidence, promotion, promotion_log
from pipeline.registry.evidence import HeldOut
from pipeline.registry.registration import Request
from pipeline.report.best import best_figures

FEATURES = 6
SHARES = (0.05, 0.2, 0.5)  # of the positive class; each trial has one
ROWS = {0.05: 1500, 0.2: 600, 0.5: 400}
BLOCK = """\
seed: {seed}
workers: 1
datasets:
  noise:
    experiment: Noise
    data: {{source: noise.csv, depends_on: noise.csv, file: data/noise_data.csv,
           task: classification, target: answer, positive: "yes"}}
    prepare: {{}}
    train: {{primary_metric: {metric}, models: [dummy, logistic_regression, decision_tree]}}
    tune: {{models: [logistic_regression]}}
    drift: {{}}
    gates: {{}}
    register: {{name: Noise}}
models: {{decision_tree: {{max_depth: 4, min_samples_leaf: 5}}}}
search_spaces: {{logistic_regression: {{C: {{low: 0.01, high: 1.0, log: true}}}}}}
"""


def noise_table(seed: int) -> pd.DataFrame:
    """Return features that say nothing about the answer."""
    rng = np.random.default_rng(seed)
    share = SHARES[seed % len(SHARES)]
    rows = ROWS[share]
    table = pd.DataFrame(
        rng.normal(size=(rows, FEATURES)), columns=[f"x{number}" for number in range(FEATURES)]
    )
    return table.assign(answer=np.where(rng.random(rows) < share, "yes", "no"))


def noise(seed: int) -> dict[str, float]:
    """Return whether the best model of a table of noise would be promoted, and what stops it."""
    metric = ("roc_auc", "average_precision", "log_loss")[seed // len(SHARES) % 3]
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path(paths.PARAMS).write_text(BLOCK.format(seed=seed, metric=metric), encoding="utf-8")
        noise_table(seed).to_csv("noise.csv", index=False)
        request = trained_request()
        if request.not_ready:
            return {"promoted": 0.0, "not ready": 1.0}
        return {"promoted": float(is_promoted(request)), "not ready": 0.0}


def trained_request() -> Request:
    """Run the stages before register in the working directory; return what it would be asked."""
    settings = params.load()
    generate_data.generate("noise", settings)
    prepare_data.prepare("noise", settings)
    train.train("noise", settings, n_workers=1)
    result = compare_results.compare("noise", settings).result
    files.write_json(paths.best("noise"), best_figures(result))
    validation = validate_metrics.validate("noise", {}, result)
    files.write_json(paths.validation("noise"), validation.as_json())
    return register_model.read_request("noise", "Noise")


def is_promoted(request: Request) -> bool:
    """Return whether register would promote a first version."""
    settings = params.load().dataset("noise")
    bundle = Path("bundle")
    bundles.write(bundle, request)
    held_out = HeldOut(
        frame=splits.read_split("noise", "test"),
        origin="the test rows",
        split_hash=request.split_hash,
        judged_before=0,
        data=settings.data,
        metric=request.primary_metric,
        seed=params.load().seed,
    )
    train_target = splits.read_split("noise", "train")[settings.data.target]
    rule = settings.registration
    found = evidence.against_guessing(bundle, train_target, held_out, rule)
    decision = promotion.decide_promotion(rule.promote, found)
    return decision.outcome == promotion_log.PROMOTED


NOISE = Experiment(
    name="noise",
    data="synthetic noise, 5, 20 or 50 % positives",
    trials=200,
    trial=noise,
    claims=(
        Claim(
            "promoted",
            "a first version that is no better than guessing is promoted in at most 2.5 % of cases",
            highest=0.025,
        ),
    ),
)
