"""The tests and effect sizes are those of scipy, statsmodels and, where its test is the same,
Evidently.
"""

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from scipy.spatial.distance import jensenshannon

from pipeline.data.kinds import DATE, KINDS
from pipeline.drift import two_sample
from pipeline.project.settings.drift import Drift
from support.drift_tables import categories
from support.processes import ROOT


@pytest.mark.parametrize("seed, decimals", [(0, 8), (1, 1), (2, 0)])
def test_numbers_are_compared_as_scipy_does_with_ties_too(seed, decimals):
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=300).round(decimals), rng.normal(0.1, 1.2, 170).round(decimals)
    found = two_sample.compare_numbers(np.sort(one), np.sort(other))
    expected = scipy.stats.ks_2samp(one, other, method="asymp")
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.effect_size == pytest.approx(
        scipy.stats.wasserstein_distance(one, other) / one.std()
    )


def test_categories_are_compared_as_scipy_does():
    rng = np.random.default_rng(0)
    one, other = (categories(rng, rows, {"a": 0.5, "b": 0.3, "c": 0.2}) for rows in (400, 250))
    table = np.array([[(side == name).sum() for name in "abc"] for side in (one, other)])
    found, expected = (
        two_sample.compare_categories(one, other),
        scipy.stats.chi2_contingency(table, correction=False),
    )
    assert (found.test, found.statistic) == ("chi-squared", pytest.approx(expected.statistic))
    assert found.p_value == pytest.approx(expected.pvalue)
    assert found.effect_size == pytest.approx(jensenshannon(table[0] / 400, table[1] / 250, base=2))


def test_small_counts_take_the_exact_test_or_the_g_test():
    two = np.array([[98, 2], [60, 5]])
    assert two_sample.contingency_test(two).test == "Fisher's exact"
    assert two_sample.contingency_test(two).p_value == pytest.approx(
        scipy.stats.fisher_exact(two).pvalue
    )
    three = np.array([[50, 40, 3], [30, 30, 4]])
    expected = scipy.stats.chi2_contingency(three, correction=False, lambda_="log-likelihood")
    assert two_sample.contingency_test(three).test == "G-test"
    assert two_sample.contingency_test(three).p_value == pytest.approx(expected.pvalue)


def test_correction_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p_values = [0.001, 0.04, 0.03, 0.5, 1.0, 0.0, 0.03]
    assert two_sample.adjusted_p_values(p_values) == pytest.approx(
        multipletests(p_values, method="fdr_bh")[1]
    )
    assert len(two_sample.adjusted_p_values([])) == 0


def test_p_values_are_those_of_evidently_where_its_test_is_the_same():
    from evidently.legacy.calculations.stattests import chi_stat_test, ks_stat_test

    rng = np.random.default_rng(3)
    one, other = pd.Series(rng.normal(size=600)), pd.Series(rng.normal(0.1, 1, 9600))
    theirs = ks_stat_test(one, other, "num", 0.05).drift_score
    assert two_sample.compare_numbers(
        *(np.sort(side) for side in (one, other))
    ).p_value == pytest.approx(theirs, rel=0.05)
    one, other = (categories(rng, 400, {"a": 0.5, "b": 0.3, "c": 0.2}) for _ in range(2))
    # theirs takes the reference's shares for exact, so that it finds more than there is
    statistic = scipy.stats.chisquare(
        [(other == name).sum() for name in "abc"], [(one == name).sum() for name in "abc"]
    )
    assert chi_stat_test(one, other, "cat", 0.05).drift_score == pytest.approx(statistic.pvalue)
    assert two_sample.compare_categories(one, other).p_value > statistic.pvalue


def test_corrected_p_values_are_refused_where_one_is_undefined():
    with pytest.raises(ValueError, match="between 0 and 1"):
        two_sample.adjusted_p_values([0.1, np.nan])


def test_every_drift_test_has_a_threshold_and_is_in_the_documents():
    assert set(two_sample.TESTS) == set(KINDS)
    # dates move by themselves
    assert two_sample.TESTS[DATE].threshold(Drift()) is None
    page = (ROOT / "docs/drift.md").read_text()
    for test in two_sample.TESTS.values():
        assert test.setting in Drift.model_fields and f"`{test.setting}`" in page
        assert test.name.lower() in page.lower() and test.effect.split()[-1] in page
