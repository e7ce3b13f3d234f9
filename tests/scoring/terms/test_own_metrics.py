"""A metric of the user's own is scored, drawn and chosen by like the built-in ones."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline import command
from pipeline.project.errors import UsageError
from pipeline.scoring import bootstrap, metrics, thresholds
from pipeline.scoring.rows import Rows, Terms
from pipeline.scoring.terms import own_metrics
from support.predicted import binary
from support.settings import edited, loaded

CODE = '''\
import numpy as np


def profit(actual, predicted, frame):
    """Ten for each true virginica named, less what naming costs in each row."""
    named = predicted == "virginica"
    return 10 * (named & (actual == "virginica")).sum() - frame["price"][named].sum()


def brier(actual, predicted):
    return ((predicted - (actual == "virginica")) ** 2).mean()


def nothing(actual, predicted):
    return float("nan")


def text(actual, predicted):
    return "much"


def breaks(actual, predicted):
    return 1 / 0
'''
MODELS = "cv_folds: 3,\n            models: [dummy, log"
FRAME = pd.DataFrame({"price": np.arange(8.0)})
ROWS = Rows(
    np.array([0, 1, 0, 1, 1, 0, 1, 0]),
    binary([0.1, 0.7, 0.6, 0.9, 0.4, 0.2, 0.8, 0.3]),
    np.array([0, 1, 1, 1, 0, 0, 1, 0]),
    Terms(frame=FRAME, metrics=("gain", "brier"), classes=("other", "virginica")),
)


@pytest.fixture
def declared(tmp_path, monkeypatch):
    """Declare metrics of the file above, as a dataset's settings name them."""

    def declare(metrics_block: str, more: str = ""):
        (tmp_path / "features").mkdir(exist_ok=True)
        (tmp_path / "features/own.py").write_text(CODE, encoding="utf-8")
        text = edited(MODELS, MODELS.replace(" 3,", f" 3, metrics: {{{metrics_block}}},{more}"))
        return command.checked(loaded(tmp_path, monkeypatch, text))

    yield declare
    metrics.OWN.clear()


def entry(name: str, function: str, of: str = "decisions", better: str = "true") -> str:
    place = f"'features/own.py:{function}'"
    return f"{name}: {{function: {place}, greater_is_better: {better}, of: {of}}}"


BOTH = f"{entry('gain', 'profit')}, {entry('brier', 'brier', 'probabilities', 'false')}"


def test_metric_gets_labels_or_probabilities_and_the_frame_of_the_same_rows(declared):
    declared(BOTH)
    scores = metrics.score(ROWS)
    assert scores["gain"] == 10 * 3 - (1 + 2 + 3 + 6)
    assert scores["brier"] == pytest.approx(((ROWS.output[:, 1] - ROWS.y) ** 2).mean())
    assert list(scores)[-2:] == ["gain", "brier"]
    kept = np.array([1, 2])
    assert metrics.value("gain", ROWS[kept]) == 10 - (1 + 2)
    assert metrics.is_better("gain", 2, 1) and metrics.is_better("brier", 1, 2)


def test_interval_holds_the_metric_of_rows_drawn_as_often_as_they_were(declared):
    declared(BOTH)
    found = bootstrap.resampled("brier", ROWS, seed=0)
    errors = (ROWS.output[:, 1] - ROWS.y) ** 2
    times = bootstrap.Weights(bootstrap.BY_ROW, len(ROWS), 0).draw(1000)
    expected = times @ errors / len(ROWS)
    assert found.draws[:200] == pytest.approx(expected[:200])
    assert np.isnan(found.draws[200:]).all() and len(found.draws) == 1000
    assert found.interval == pytest.approx(tuple(np.quantile(expected[:200], [0.025, 0.975])))


def test_threshold_is_the_best_by_an_own_metric_of_decisions(declared):
    settings = declared(BOTH, " threshold_metric: gain,")
    assert settings.datasets["iris"].train.deciding_metric == "gain"
    scores = ROWS.output[:, 1]

    def gain(cut):
        return metrics.value("gain", thresholds.decided(ROWS, cut))

    chosen = thresholds.best_rule(ROWS.y, ROWS.output, "gain", ROWS.terms)
    assert gain(chosen) == max(map(gain, [*scores, 2])) > gain(0.5)


@pytest.mark.parametrize(
    "function, fault",
    [
        ("nothing", "features/own.py:nothing returns nan for 8 rows, and must be finite; fix"),
        ("text", "features/own.py:text returns str, and must return one number; fix the function"),
        ("breaks", "features/own.py line 23 raises ZeroDivisionError: division by zero; fix the"),
    ],
)
def test_metric_that_gives_no_number_is_told_in_one_line(declared, function, fault):
    declared(entry("gain", function))
    weighted = replace(ROWS, terms=replace(ROWS.terms, weight=np.ones(8)))
    for rows in (ROWS, weighted):
        with pytest.raises(UsageError) as caught:
            metrics.value("gain", rows)
    assert str(caught.value).startswith(f"params.yaml: datasets.iris.train.metrics.gain: {fault}")


@pytest.mark.parametrize(
    "block, more, fault",
    [
        (entry("f1", "profit"), "", "datasets.iris.train.metrics.f1: is a built-in metric; rename"),
        (
            BOTH,
            " threshold_metric: brier,",
            "datasets.iris.train.threshold_metric: must be one of: accuracy, f1, gain (found 'bri",
        ),
        (
            "gain: {function: 'metrics/x.py:y', greater_is_better: true}",
            "",
            "must be a Python file in features/",
        ),
        ("gain: {function: 'features/x.py:y'}", "", "greater_is_better: Field required"),
    ],
)
def test_wrong_declaration_is_refused(declared, block, more, fault):
    with pytest.raises(UsageError) as caught:
        declared(block, more)
    assert fault in str(caught.value)


def test_primary_metric_and_gates_may_name_an_own_metric(declared):
    settings = declared(BOTH)
    names = [metric.name for metric in metrics.of_settings(settings.datasets["iris"])]
    assert names[-2:] == ["gain", "brier"]
    assert "gain" not in [one.name for one in metrics.of_settings(settings.datasets["tiny"])]
    assert list(own_metrics.code_of(["f1", "gain", "brier"])) == ["features/own.py"]
