"""Gates look at the value they name, and fail where there is none."""

from dataclasses import replace

import pytest

from pipeline.project.settings.judging import Gate
from pipeline.report.comparison import BoundedScore
from pipeline.scoring import gates


def test_gates_look_at_test_or_out_of_fold_and_fail_where_there_is_no_value():
    on_test = {"f1": BoundedScore(0.6, 0.5, 0.7), "log_loss": BoundedScore(0.5, 0.4, 0.6)}
    out_of_fold = {"f1": 0.4, "roc_auc": None}

    def passed(metric, **gate):
        (verdict,) = gates.verdicts({metric: Gate(**gate)}, on_test, out_of_fold)
        return verdict.value, verdict.passed

    assert passed("f1", min=0.6) == (0.6, True)
    assert passed("f1", min=0.5, on="oof") == (0.4, False)
    assert passed("f1", min=0.6, by="low") == (0.5, False)
    assert passed("f1", min=0.5, by="low") == (0.5, True)
    assert passed("log_loss", max=0.5) == (0.5, True)
    assert passed("log_loss", max=0.5, by="high") == (0.6, False)
    assert passed("log_loss", min=0.1, max=0.4) == (0.5, False)
    assert passed("roc_auc", max=1.0, on="oof") == (None, False)
    assert passed("f1__virginica", min=0.0) == (None, False)


@pytest.mark.parametrize(
    "bounds, shown, demanded",
    [
        ({"min": 0.7, "max": None}, "≥ 0.7", "must be >= 0.7"),
        ({"min": None, "max": 12000.0}, "≤ 12,000", "must be <= 12000"),
        ({"min": 0.1, "max": 0.123456}, "≥ 0.1 and ≤ 0.1235", "must be >= 0.1 and <= 0.123456"),
    ],
)
def test_bounds_in_words(bounds, shown, demanded):
    verdict = gates.Verdict(metric="rmse", on="test", value=0.5, passed=True, **bounds)
    assert gates.bounds_text(verdict) == shown
    assert gates.demand_text(verdict) == demanded
    assert gates.score_text(verdict) == "test rmse"
    by_end = replace(verdict, by="high")
    assert gates.score_text(by_end) == "test rmse, high end of the interval,"
