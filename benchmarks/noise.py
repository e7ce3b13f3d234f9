"""Whether a model of pure noise becomes champion, on synthetic rows.

    python -m benchmarks.statistics --only noise noise_by_the_interval

No gate is set. Once all stages before register run, and the verdict of the comparison and the
evidence against guessing decide; once the evidence alone decides on models of scikit-learn, which
takes less time and leaves more trials.
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
from pipeline.registry.evidence import Evidence, HeldOut
from pipeline.registry.registration import Request
from pipeline.report.best import best_figures
from pipeline.scoring import bootstrap
from pipeline.scoring.rows import Rows

FEATURES = 6
METRICS = ("roc_auc", "average_precision", "log_loss")
SCORING = {
    "roc_auc": "roc_auc",
    "average_precision": "average_precision",
    "log_loss": "neg_log_loss",
}
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
    train: {{primary_metric: {metric}, cv_folds: 3,
            models: [dummy, logistic_regression, decision_tree]}}
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
    """Return whether the best model of a table of noise would be promoted."""
    metric = metric_of(seed)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        Path(paths.PARAMS).write_text(BLOCK.format(seed=seed, metric=metric), encoding="utf-8")
        noise_table(seed).to_csv("noise.csv", index=False)
        request = trained_request()
        if request.not_ready:
            return {"promoted": 0.0}
        return {"promoted": float(is_promoted(request))}


def metric_of(seed: int) -> str:
    """Return the primary metric of a trial: each of them with each share of positives."""
    return METRICS[seed // len(SHARES) % len(METRICS)]


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
        block=settings,
        metric=request.primary_metric,
        seed=params.load().seed,
    )
    train_rows = splits.read_split("noise", "train")
    rule = settings.registration
    found = evidence.against_guessing(bundle, train_rows, held_out, rule)
    decision = promotion.decide_promotion(rule.promote, found)
    return decision.outcome == promotion_log.PROMOTED


def noise_by_the_interval(seed: int) -> dict[str, float]:
    """Return whether the evidence promotes the best of three models of noise, whatever else says.

    They are chosen by five-fold cross-validation, as the stages do it, and judged by a fifth of the
    rows.
    """
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score, train_test_split
    from sklearn.tree import DecisionTreeClassifier

    metric, table = metric_of(seed), noise_table(seed)
    y = (table.pop("answer") == "yes").to_numpy().astype(int)
    X, X_test, y, y_test = train_test_split(
        table.to_numpy(), y, test_size=0.2, stratify=y, random_state=seed
    )
    models = (
        LogisticRegression(),
        DecisionTreeClassifier(max_depth=4, min_samples_leaf=5, random_state=seed),
        RandomForestClassifier(20, max_depth=6, random_state=seed),
    )
    scoring = SCORING[metric]
    means = [cross_val_score(model, X, y, cv=5, scoring=scoring).mean() for model in models]
    best = models[int(np.argmax(means))].fit(X, y)
    guess = evidence.guess(y, 2, len(y_test), metric)
    baseline, challenger = (
        bootstrap.resampled(metric, Rows(y_test, output), seed)
        for output in (guess, best.predict_proba(X_test))
    )
    difference = evidence.compare(baseline, challenger, margin=0.0)
    found = Evidence(len(y_test), metric, difference, against=evidence.GUESSING)
    decision = promotion.decide_promotion("not_worse", found)
    return {"promoted": float(decision.outcome == promotion_log.PROMOTED)}


EXPERIMENTS = (
    Experiment(
        name="noise",
        data="synthetic noise, 5, 20 or 50 % positives",
        trials=100,
        trial=noise,
        claims=(
            Claim(
                "promoted",
                "a model of pure noise becomes champion in at most 2.5 % of cases (all stages)",
                highest=0.025,
            ),
        ),
    ),
    Experiment(
        name="noise_by_the_interval",
        data="synthetic noise, 5, 20 or 50 % positives",
        trials=400,
        trial=noise_by_the_interval,
        claims=(
            Claim(
                "promoted",
                "a model of pure noise is called better than guessing in at most 2.5 % of cases",
                highest=0.025,
            ),
        ),
    ),
)
