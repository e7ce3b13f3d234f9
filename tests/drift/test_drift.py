"""A drift verdict needs a test and an effect size; what cannot be compared is told by name; reports repeat to the byte."""

import json
import re

import numpy as np
import pandas as pd
import pytest
import scipy.stats

import detect_drift
from benchmarks import drift_alarms
from pipeline.data.typed_tables import of_frame
from pipeline.drift import pages as drift_pages
from pipeline.drift import two_sample
from pipeline.drift.comparison import compare_columns, compare_tables, schema_drift
from pipeline.drift.pages import _with_verdict, repeatable
from pipeline.drift.roles import Roles
from pipeline.drift.verdicts import LISTED_IMPORTANCES, ignored_columns
from pipeline.project import rounding
from pipeline.project.errors import DataError
from pipeline.project.params import Drift
from pipeline.training.assessment import MOST_COLUMNS
from support.processes import ROOT, script

LIMITS = Drift()
NO_ROLES = Roles()


def categories(rng, rows, shares):
    return pd.Series(rng.choice(list(shares), rows, p=list(shares.values())), dtype="str")


def verdicts(reference, current, limits=LIMITS):
    return {
        name: column["verdict"]
        for name, column in compare_columns(reference, current, limits).items()
    }


# tests and effect sizes


@pytest.mark.parametrize("seed, decimals", [(0, 8), (1, 1), (2, 0)])
def test_numbers_are_compared_as_scipy_does_with_ties_too(seed, decimals):
    rng = np.random.default_rng(seed)
    one, other = rng.normal(size=300).round(decimals), rng.normal(0.1, 1.2, 170).round(decimals)
    found = two_sample.compare_numbers(np.sort(one), np.sort(other))
    expected = scipy.stats.ks_2samp(one, other, method="asymp")
    assert found["statistic"] == pytest.approx(expected.statistic)
    assert found["p_value"] == pytest.approx(expected.pvalue)
    assert found["effect_size"] == pytest.approx(
        scipy.stats.wasserstein_distance(one, other) / one.std()
    )


def test_categories_are_compared_as_scipy_does():
    from scipy.spatial.distance import jensenshannon

    rng = np.random.default_rng(0)
    one, other = (categories(rng, rows, {"a": 0.5, "b": 0.3, "c": 0.2}) for rows in (400, 250))
    table = np.array([[(side == name).sum() for name in "abc"] for side in (one, other)])
    found, expected = (
        two_sample.compare_categories(one, other),
        scipy.stats.chi2_contingency(table, correction=False),
    )
    assert (found["test"], found["statistic"]) == ("chi-squared", pytest.approx(expected.statistic))
    assert found["p_value"] == pytest.approx(expected.pvalue)
    assert found["effect_size"] == pytest.approx(
        jensenshannon(table[0] / 400, table[1] / 250, base=2)
    )


def test_small_counts_take_the_exact_test_or_the_g_test():
    two = np.array([[98, 2], [60, 5]])
    assert two_sample.contingency_test(two)["test"] == "Fisher's exact"
    assert two_sample.contingency_test(two)["p_value"] == pytest.approx(
        scipy.stats.fisher_exact(two).pvalue
    )
    three = np.array([[50, 40, 3], [30, 30, 4]])
    expected = scipy.stats.chi2_contingency(three, correction=False, lambda_="log-likelihood")
    assert two_sample.contingency_test(three)["test"] == "G-test"
    assert two_sample.contingency_test(three)["p_value"] == pytest.approx(expected.pvalue)


def test_correction_is_that_of_statsmodels():
    from statsmodels.stats.multitest import multipletests

    p_values = [0.001, 0.04, 0.03, 0.5, 1.0, 0.0, 0.03]
    assert two_sample.adjusted(p_values) == pytest.approx(
        multipletests(p_values, method="fdr_bh")[1]
    )
    assert len(two_sample.adjusted([])) == 0


def test_p_values_are_those_of_evidently_where_its_test_is_the_same():
    from evidently.legacy.calculations.stattests import chi_stat_test, ks_stat_test

    rng = np.random.default_rng(3)
    one, other = pd.Series(rng.normal(size=600)), pd.Series(rng.normal(0.1, 1, 9600))
    theirs = ks_stat_test(one, other, "num", 0.05).drift_score
    assert two_sample.compare_numbers(*(np.sort(side) for side in (one, other)))[
        "p_value"
    ] == pytest.approx(theirs, rel=0.05)
    one, other = (categories(rng, 400, {"a": 0.5, "b": 0.3, "c": 0.2}) for _ in range(2))
    # theirs takes the reference's shares for exact, so that it finds more than there is
    statistic = scipy.stats.chisquare(
        [(other == name).sum() for name in "abc"], [(one == name).sum() for name in "abc"]
    )
    assert chi_stat_test(one, other, "cat", 0.05).drift_score == pytest.approx(statistic.pvalue)
    assert two_sample.compare_categories(one, other)["p_value"] > statistic.pvalue


# verdicts


def test_sure_but_small_difference_is_no_drift_and_large_but_unsure_neither():
    rng = np.random.default_rng(0)
    many = [pd.DataFrame({"x": rng.normal(mean, 1, 50_000)}) for mean in (0, 0.05)]
    few = [pd.DataFrame({"x": rng.normal(mean, 1, 60)}) for mean in (0, 0.15)]
    sure, unsure = compare_columns(*many, LIMITS)["x"], compare_columns(*few, LIMITS)["x"]
    assert (
        sure["p_adjusted"] < 1e-6
        and sure["effect_size"] < LIMITS.numbers
        and sure["verdict"] == "no drift"
    )
    assert (
        unsure["p_adjusted"] > LIMITS.alpha
        and unsure["effect_size"] > LIMITS.numbers
        and unsure["verdict"] == "no drift"
    )


def test_both_sides_need_the_rows():
    rng = np.random.default_rng(0)
    large, small = (
        pd.DataFrame({"x": rng.normal(size=500)}),
        pd.DataFrame({"x": rng.normal(5, 1, LIMITS.min_rows - 1)}),
    )
    assert verdicts(large, small) == verdicts(small, large) == {"x": "not enough data"}
    assert verdicts(large, pd.DataFrame({"x": rng.normal(5, 1, LIMITS.min_rows)})) == {"x": "drift"}
    gaps = pd.DataFrame({"x": np.r_[rng.normal(5, 1, 40), np.full(460, np.nan)]})
    assert compare_columns(gaps, gaps, LIMITS)["x"]["verdict"] == "not enough data"


def test_changed_missing_share_is_drift_by_a_test_of_its_own():
    rng = np.random.default_rng(0)
    full = pd.DataFrame({"x": rng.normal(size=1000)})
    found = compare_columns(full, full.where(rng.random((1000, 1)) > 0.1), LIMITS)["x"]
    assert (found["verdict"], found["drift_in"]) == ("drift", ["missing"])
    assert found["missing"]["reference"] == 0 and 0.07 < found["missing"]["current"] < 0.13


def test_order_of_the_columns_changes_nothing():
    rng = np.random.default_rng(0)
    one, other = drift_alarms.table(rng, 300), drift_alarms.table(rng, 300)
    assert compare_columns(one, other, LIMITS) == compare_columns(
        one, other[other.columns[::-1]], LIMITS
    )
    assert schema_drift(one, other[other.columns[::-1]]) == []


def test_changes_of_the_schema_are_told_by_name_and_the_rest_is_compared():
    rng = np.random.default_rng(0)
    one = pd.DataFrame(
        {"same": rng.normal(size=80), "gone": 1.0, "void": 1.0, "text": rng.normal(size=80)}
    )
    other = one.drop(columns="gone").assign(void=np.nan, text="a", added=1.0)
    found = [(change["column"], change["change"]) for change in schema_drift(one, other)]
    assert found == [("gone", "missing"), ("added", "new"), ("void", "empty"), ("text", "type")]
    assert verdicts(one, other) == {"same": "no drift", "void": "drift", "text": "not compared"}
    few = schema_drift(one.head(5), other.head(5), min_rows=50)
    assert [change["column"] for change in few] == ["gone", "added"]


@pytest.mark.parametrize(
    "values, current, verdict",
    [
        ([1.0] * 100, [1.0] * 100, "no drift"),
        (["a"] * 100, ["a"] * 100, "no drift"),
        ([1.0] * 100, [2.0] * 100, "drift"),
        ([0.1] * 100, [0.1] * 70 + [0.2] * 30, "drift"),
        ([None] * 100, [None] * 100, "not compared"),
        ([-1e308, 1e308] * 50, [-1e308, 1e308] * 50, "no drift"),
        ([-1e308, 1e308] * 50, [0.0] * 100, "drift"),
        ([np.inf, 1.0] * 100, [1.0] * 200, "drift"),
        ([1.5, "2", None, "x"] * 3 + [1.0] * 97, [1.0] * 109, "no drift"),
        ([True, False] * 50, [True] * 90 + [False] * 10, "drift"),
        (["2024-01-02"] * 100, ["2026-01-02"] * 100, "not compared"),
    ],
)
def test_odd_columns_have_a_verdict(values, current, verdict):
    tables = [of_frame(pd.DataFrame({"x": side})) for side in (values, current)]
    assert verdicts(*tables) == {"x": verdict}
    json.dumps(rounding.rounded(compare_columns(*tables, LIMITS)), allow_nan=False)


def test_values_that_cannot_be_read_are_counted():
    table = of_frame(pd.DataFrame({"x": [1.0, np.inf] + ["7"] * 97 + ["?"], "y": "a"}))
    assert (
        table["x"].attrs["unreadable"] == table["x"].isna().sum() == 2
        and table["y"].attrs["unreadable"] == 0
    )
    found, _ = compare_tables(table, table, NO_ROLES, LIMITS)
    assert found["quality"]["current"]["unreadable"] == {"x": 2} and found["quality"][
        "reasons"
    ] == ["x: 2 values cannot be read"]


def test_ten_thousand_categories_are_no_drift_by_themselves_and_one_that_takes_over_is():
    rng = np.random.default_rng(0)
    one, other = (
        pd.DataFrame({"id": rng.integers(0, 10_000, 20_000).astype(str)}, dtype="str")
        for _ in range(2)
    )
    assert verdicts(one, other) == {"id": "no drift"}
    assert verdicts(one, other.mask(rng.random((20_000, 1)) < 0.3, "same")) == {"id": "drift"}


def test_quality_counts_both_sides_and_tells_what_got_worse():
    rng = np.random.default_rng(0)
    one = pd.DataFrame(
        {
            "x": rng.normal(size=400),
            "y": rng.normal(size=400),
            "town": categories(rng, 400, {"a": 0.5, "b": 0.5}),
        }
    )
    other = pd.concat([one.head(150)] * 2, ignore_index=True).assign(town="a")
    other.loc[other.index % 5 == 0, "x"] = 50.0
    other.loc[other.index % 4 == 0, "y"] = np.nan
    found = compare_tables(one, other, NO_ROLES, LIMITS)[0]["quality"]
    assert (
        found["verdict"] == "check"
        and found["current"]["constant"] == ["town"]
        and found["reference"]["constant"] == []
    )
    assert (
        found["current"]["duplicates"] == other.duplicated().sum()
        and found["current"]["outliers"]["x"] >= 60
    )
    assert [reason.split()[0] for reason in found["reasons"]] == ["y:", "town:", "x:", "duplicate"]
    same = compare_tables(one, one.head(300), NO_ROLES, LIMITS)[0]["quality"]
    assert (same["verdict"], same["reasons"]) == ("good", [])


def test_table_of_few_categories_is_not_blamed_for_its_duplicates():
    rng = np.random.default_rng(0)
    one, other = (
        pd.DataFrame({name: categories(rng, rows, {"a": 0.5, "b": 0.5}) for name in "pqrstuv"})
        for rows in (200, 5000)
    )
    assert compare_tables(one, other, NO_ROLES, LIMITS)[0]["quality"]["verdict"] == "good"


def test_changed_correlation_is_listed():
    rng = np.random.default_rng(0)
    one = pd.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    other = one.assign(b=one["a"] + rng.normal(0, 0.5, 400))
    assert [change["columns"] for change in two_sample.correlation_changes(one, other, LIMITS)] == [
        ["a", "b"]
    ]
    assert two_sample.correlation_changes(one, one.sample(frac=0.5, random_state=0), LIMITS) == []
    by_chance = [pd.DataFrame(rng.normal(size=(60, 8))) for _ in range(2)]
    assert np.abs(by_chance[0].corr() - by_chance[1].corr()).max(axis=None) > LIMITS.correlation
    assert two_sample.correlation_changes(*by_chance, LIMITS) == []
    trifling = pd.DataFrame(rng.normal(size=(20_000, 2)), columns=["a", "b"])
    assert (
        two_sample.correlation_changes(
            trifling, trifling.assign(b=0.1 * trifling["a"] + trifling["b"]), LIMITS
        )
        == []
    )


def test_alarms_are_rare_where_nothing_changed_and_changes_are_found():
    rows = (60, 250, 1000)
    alarms = sum(drift_alarms.false_alarms(25, size) for size in rows)
    assert alarms / (25 * len(rows)) <= 0.05
    for change in drift_alarms.CHANGES:
        assert drift_alarms.found(20, change) >= 18, change


@pytest.mark.slow
def test_share_of_false_alarms_is_below_five_percent():
    alarms = sum(drift_alarms.false_alarms(200, rows) for rows in drift_alarms.ROWS)
    assert drift_alarms.wilson(alarms, 200 * len(drift_alarms.ROWS))[1] < 0.05
    for change in drift_alarms.CHANGES:
        assert drift_alarms.found(200, change) >= 180, change


# the script


def sales(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "size": rng.normal(100, 20, rows).round(2),
            "town": rng.choice(["Aville", "Bford"], rows),
            "day": pd.date_range("2026-01-01", periods=rows).strftime("%Y-%m-%d"),
        }
    )
    frame["price"] = (2 * frame["size"] + rng.normal(0, 5, rows)).round(2)
    return frame.assign(predicted=(2 * frame["size"]).round(2))


def detect(folder, one, other, *options):
    for name, frame in (("a.csv", one), ("b.csv", other)):
        frame.to_csv(folder / name, index=False) if isinstance(frame, pd.DataFrame) else (
            folder / name
        ).write_text(frame)
    done = script(
        "detect_drift", "--reference-data", "a.csv", "--current-data", "b.csv", *options, cwd=folder
    )
    path = folder / "reports/drift/drift.json"
    return done, json.loads(path.read_text()) if path.is_file() else None


def test_two_files_with_target_and_prediction_get_verdicts_and_four_reports(tmp_path):
    other = sales(seed=1).assign(
        size=lambda frame: frame["size"] + 15, price=lambda frame: frame["price"] * 1.5
    )
    done, found = detect(tmp_path, sales(), other, "--target", "price", "--prediction", "predicted")
    assert done.returncode == 3, done.stderr
    assert (found["verdict"], found["drifted"]) == ("drift", ["size"])
    assert found["target"]["verdict"] == "drift" and found["prediction"]["verdict"] == "no drift"
    assert found["target"]["mean"]["current"] == pytest.approx(other["price"].mean(), rel=1e-5)
    assert found["performance"]["current"]["rmse"] > 5 * found["performance"]["reference"]["rmse"]
    assert (
        "  size: Kolmogorov-Smirnov, adjusted p" in done.stdout
        and "retrain: 'price' moved" in done.stdout
    )
    reports = sorted(path.name for path in (tmp_path / "reports/drift").glob("*.html"))
    assert reports == [
        "drift_report.html",
        "performance_report.html",
        "quality_report.html",
        "target_drift_report.html",
    ]
    page = (tmp_path / "reports/drift/drift_report.html").read_text()
    assert "<b>drift</b>: retrain" in page and not re.search(
        r"<(script|link|img)[^>]+(src|href)=.https?:", page
    )


def test_same_table_twice_is_no_drift_and_parquet_is_read(tmp_path):
    sales().to_parquet(tmp_path / "a.parquet")
    done = script(
        "detect_drift",
        "--reference-data",
        "a.parquet",
        "--current-data",
        "a.parquet",
        "--output",
        "out",
        cwd=tmp_path,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "no drift, 0 of 4 columns drifted; nothing to do -> out/" in done.stdout


def test_two_unrelated_tables_are_drift_with_every_column_named(tmp_path):
    done, found = detect(tmp_path, sales(), pd.DataFrame({"p": range(80), "q": "x"}))
    assert done.returncode == 3 and "tables of different things" in done.stdout
    assert [change["column"] for change in found["schema_drift"]] == [*sales().columns, "p", "q"]


def test_one_row_is_not_enough_data(tmp_path):
    done, found = detect(tmp_path, sales(), sales(1, seed=1))
    assert (done.returncode, found["verdict"]) == (4, "not enough data")
    assert "collect more rows before judging: 1 of the 50" in done.stdout


def test_exit_status_is_that_of_the_worst_verdict_that_counts():
    few, drifted, both = (
        ["no drift", "not enough data"],
        ["drift"],
        ["not enough data", "drift", "no drift"],
    )
    assert [detect_drift.status(found, "not-enough-data") for found in (few, drifted, both)] == [
        4,
        3,
        3,
    ]
    assert [detect_drift.status(found, "drift") for found in (few, drifted, both)] == [0, 3, 3]
    assert [detect_drift.status(found, "never") for found in (few, drifted, both)] == [0, 0, 0]


def test_target_that_one_side_lacks_leaves_the_rest(tmp_path):
    done, found = detect(
        tmp_path,
        sales(),
        sales(seed=1).drop(columns="price"),
        "--target",
        "price",
        "--prediction",
        "predicted",
    )
    assert done.returncode == 0, done.stderr
    assert found["target"] is None and list(found["performance"]) == ["reference"]
    assert found["prediction"]["verdict"] == "no drift" and found["schema_drift"] == []


def test_predicted_classes_are_scored(tmp_path):
    frame = sales().assign(
        label=lambda frame: (frame["size"] > 100).astype(int), guess=lambda frame: frame["label"]
    )
    other = frame.assign(
        guess=lambda frame: np.where(frame.index % 2, frame["guess"], 1 - frame["guess"])
    )
    done, found = detect(
        tmp_path, frame, other, "--target", "label", "--prediction", "guess", "--fail-on", "never"
    )
    assert done.returncode == 0, done.stderr
    assert (
        found["performance"]["reference"]["accuracy"] == 1
        and found["performance"]["current"]["accuracy"] == 0.5
    )
    assert (tmp_path / "reports/drift/performance_report.html").is_file()


@pytest.mark.parametrize(
    "content, options, status, message",
    [
        ("", (), 1, "b.csv: an empty file; give a CSV with a header line"),
        ("size,town\n", (), 1, "b.csv: a header and no rows; give a file with data"),
        (
            "size\n1\n",
            ("--target", "nope"),
            2,
            "--target nope: neither file has that column; they have: 'size', 'town'",
        ),
    ],
)
def test_bad_input_is_one_line(tmp_path, content, options, status, message):
    done, _ = detect(tmp_path, sales(), content, *options)
    assert done.returncode == status and done.stderr.count("\n") == 1 and message in done.stderr


def test_options_that_do_not_go_together_are_refused(tmp_path):
    for options in (("--reference-data", "a.csv"), ("--target", "price")):
        assert script("detect_drift", *options, cwd=tmp_path).returncode == 2


def test_batch_with_a_known_drift_is_found_and_one_without_is_not(pipeline_run):
    made = script(
        "generate_data",
        "--dataset",
        "tiny",
        "--current-batch",
        "--drift",
        "0.8",
        "--rows",
        "400",
        cwd=pipeline_run,
    )
    assert made.returncode == 0, made.stderr
    command = made.stdout.strip().split("compare: python detect_drift.py ")[1].split()
    done = script("detect_drift", *command, cwd=pipeline_run)
    assert (
        done.returncode == 3
        and "  size: Kolmogorov-Smirnov" in done.stdout
        and "  town:" not in done.stdout
    ), done.stdout
    assert (
        script("generate_data", "--dataset", "tiny", "--current-batch", cwd=pipeline_run).returncode
        == 0
    )
    assert script("detect_drift", *command, cwd=pipeline_run).returncode == 0


@pytest.mark.parametrize(
    "options",
    [
        ("--drift", "0.5"),
        ("--current-batch", "--drift", "-1"),
        ("--current-batch", "--drift", "inf"),
    ],
)
def test_drift_of_a_batch_is_a_number_from_0_on(project, options):
    done = script("generate_data", "--dataset", "tiny", *options)
    assert done.returncode == 2 and "give a number of standard deviations" in done.stderr


# the stage


@pytest.mark.parametrize(
    "dataset, verdict, target",
    [("tiny", "no drift", "price"), ("iris", "not enough data", "species")],
)
def test_stage_compares_the_splits_with_the_predictions_of_the_best_model(
    finished, dataset, verdict, target
):
    found, comparison, best = (
        json.loads((finished / f"metrics/{name}.json").read_text())
        for name in (f"datasets/{dataset}/drift", "comparison_results", f"best/{dataset}")
    )
    compared = comparison["datasets"][dataset]
    candidate = compared["candidates"][best["candidate"]]
    assert found["verdict"] == verdict
    assert found["rows"] == {
        "reference": compared["rows"]["train"],
        "current": compared["rows"]["test"],
    }
    assert found["performance"]["candidate"] == best["candidate"]
    assert found["performance"]["current"] == {
        metric: value["value"] for metric, value in candidate["test"].items()
    }
    assert found["target"]["column"] == target and target not in found["columns"]
    assert sorted(path.name for path in (finished / f"reports/{dataset}/drift").iterdir()) == [
        "drift_report.html",
        "performance_report.html",
        "quality_report.html",
        "target_drift_report.html",
    ]


@pytest.mark.parametrize("hash_seed", ["2", "3"])
def test_stage_gives_the_same_bytes_again_whatever_the_order_of_sets(
    pipeline_run, monkeypatch, hash_seed
):
    def written():
        return {
            path: path.read_bytes()
            for dataset in ("iris", "tiny")
            for path in [
                *(pipeline_run / f"reports/{dataset}/drift").iterdir(),
                pipeline_run / f"metrics/datasets/{dataset}/drift.json",
            ]
        }

    before = written()
    monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
    done = script("detect_drift", "--fail-on", "never", cwd=pipeline_run)
    assert done.returncode == 0, done.stderr
    assert written() == before


def test_pages_of_odd_columns_are_drawn():
    rows = 6000
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "constant": 1.0,
            "huge": rng.choice([-1e300, 1e300], rows),
            "ids": rng.permutation(rows).astype(str),
            "<b> & é": rng.normal(size=rows),
            "one": None,
            "void": None,
            "flag": True,
            "day": pd.date_range("2026-01-01", periods=rows, freq="h").astype(str),
        }
    )
    frame["one"] = np.where(
        np.arange(rows) == np.random.default_rng(0).permutation(rows)[-1], 1.0, np.nan
    )  # in no sample
    table = of_frame(frame)
    results, samples = compare_tables(table, table, NO_ROLES, LIMITS)
    pages = drift_pages.pages(*samples, results, NO_ROLES)
    assert sorted(pages) == ["drift", "quality"] and "5,000 and 5,000 of them" in pages["drift"]
    assert results["verdict"] == "no drift"


def test_categories_are_listed_in_their_order_and_missing_ones_once():
    frame = pd.DataFrame({"town": pd.Series(["b", None, "a", "b"] * 50, dtype="str")})
    table = of_frame(frame)
    results, samples = compare_tables(table, table, NO_ROLES, LIMITS)
    labels = re.findall(
        r'"label": "(\w+)"', drift_pages.pages(*samples, results, NO_ROLES)["quality"]
    )
    start = labels.index("missing")
    assert labels[start : start + 3] == ["missing", "a", "b"] and "nan" not in labels


def test_identifiers_of_a_page_come_from_its_content():
    page = "metric_{0} 01a1fb7f-68b5-77eb-a8e5-{1} metric_{0} {2}"
    one, same, other = (
        repeatable(page.format(*parts))
        for parts in (
            ("0" * 32, "a" * 12, "text"),
            ("1" * 32, "b" * 12, "text"),
            ("1" * 32, "b" * 12, "other"),
        )
    )
    assert one == same != other and one.split()[0] == one.split()[2]


def test_evidently_is_imported_in_one_module_only_and_late():
    importers = [
        path.name
        for path in [*ROOT.glob("*.py"), *ROOT.glob("pipeline/**/*.py"), *ROOT.glob("ops/*.py")]
        if re.search(r"^\s*(from|import) evidently", path.read_text(), re.M)
    ]
    assert importers == ["drift_pages.py"]
    assert not re.search(
        r"^(from|import) evidently", (ROOT / "pipeline/drift_pages.py").read_text(), re.M
    )


@pytest.mark.parametrize("synthetic", [True, False])
def test_verdict_on_synthetic_data_says_so_on_the_terminal_and_on_the_page(synthetic):
    results = {
        "verdict": "no drift",
        "recommendation": "nothing to do",
        "drifted": [],
        "drifted_ignored": [],
        "compared": 3,
        "synthetic": synthetic,
        "rows": {"reference": 80, "current": 20},
    }
    assert ("synthetic data" in detect_drift.told("iris", results, "reports")) == synthetic
    assert ("synthetic data" in _with_verdict("<body></body>", results, [80, 20])) == synthetic


# importance


@pytest.mark.parametrize(
    "importance, expected",
    [
        ({"a": 0.5, "b": 0.004}, {"b", "c", "d"}),
        ({"a": 0.5, "b": None}, {"b", "c", "d"}),
        ({"a": 0.5, "b": 0.4}, {"c", "d"}),
        ({"a": 0.5, "b": -0.01}, {"b", "c", "d"}),
        ({f"column {k}": 0.5 for k in range(20)} | {"a": 0.1}, set()),
        ({f"column {k}": 0.5 / 4**k for k in range(20)}, set("abcd")),
    ],
)
def test_column_is_ignored_where_the_model_loses_little_without_it(importance, expected):
    weighted = LIMITS.model_copy(update={"weighting": "importance"})
    assert ignored_columns(importance, list("abcd"), weighted, "tiny") == expected
    assert ignored_columns(importance, list("abcd"), LIMITS, "tiny") == set()


def test_drift_in_an_ignored_column_is_told_and_is_no_alarm():
    one, other = (
        of_frame(
            pd.DataFrame(
                {"a": np.random.default_rng(0).normal(size=300), "b": shift + np.arange(300.0)}
            )
        )
        for shift in (0, 200)
    )
    found, _ = compare_tables(one, other, NO_ROLES, LIMITS, ignored={"b"})
    assert (found["verdict"], found["drifted"], found["drifted_ignored"]) == ("no drift", [], ["b"])
    assert found["recommendation"] == "nothing to do: the model ignores 'b', which moved"
    assert "  b: Kolmogorov-Smirnov" in detect_drift.details(found)[0]
    alarmed, _ = compare_tables(one, other, NO_ROLES, LIMITS, ignored={"a"})
    assert (alarmed["verdict"], alarmed["drifted"]) == ("drift", ["b"])


def test_weighting_without_importances_is_refused():
    with pytest.raises(
        DataError,
        match="no importances, which drift.weighting needs; run `python train.py --dataset tiny`",
    ):
        ignored_columns(None, ["a"], LIMITS.model_copy(update={"weighting": "importance"}), "tiny")


# the pages


def test_pages_open_offline_without_an_error_and_draw_what_they_show(finished, browser):
    folder = finished / "reports/tiny/drift"
    columns_drawn = len(
        json.loads((finished / "metrics/datasets/tiny/drift.json").read_text())["columns"]
    )
    settled = {
        "quality": f"document.querySelectorAll('.js-plotly-plot .trace').length >= {2 * columns_drawn}",
        "target_drift": "document.querySelectorAll('.js-plotly-plot .trace').length >= 4",
        "performance": "document.querySelectorAll('.js-plotly-plot .trace').length >= 2",
        "drift": f"document.querySelectorAll('table tbody button').length >= {columns_drawn}",
    }
    for name, condition in settled.items():
        assert browser.open(folder / f"{name}_report.html", condition) == [], name
    browser.driver.find_element(
        "css selector", "table tbody button"
    ).click()  # the details of the drift page's first column
    assert browser.settled("document.querySelectorAll('.js-plotly-plot .trace').length >= 2") == []
    assert len(list(folder.iterdir())) == len(settled)


def test_it_knows_how_many_importances_a_model_lists():
    assert LISTED_IMPORTANCES == MOST_COLUMNS
