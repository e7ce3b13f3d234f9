"""Drift between two tables: tests, effect sizes, verdicts, data quality, and Evidently's pages; the only importer of Evidently.

A column has drifted where a test rejects that both tables were drawn alike, after Benjamini and Hochberg's correction over all
columns, and an effect size says that the difference matters: with enough rows the first alone calls every trifle, with few the
second alone calls noise. Tables hold numbers as float64, dates as datetime64 and categories as text; see `typed`.
"""

import hashlib
import re
import uuid
import warnings
from html import escape

import numpy as np
import pandas as pd

from pipeline import tables
from pipeline.params import Drift

DRIFT, NO_DRIFT, TOO_FEW, NOT_COMPARED = "drift", "no drift", "not enough data", "not compared"
REFERENCE, CURRENT = "reference", "current"
SMALL = 5                   # an expected count below it makes the chi-squared distribution a poor approximation (Cochran 1954)
DATES = 0.95                # a text column in which this share of the values are dates is one of dates
RISE = 0.05                 # of the share of duplicates or outliers, from which on data quality is called changed
CORRELATED_ROWS = 20_000    # or a few more, of each table: enough to see any change of a correlation that matters
LISTED = 10                 # correlation changes that are listed, the largest first
OTHER = "(other)"
MOST_CATEGORIES = 50        # of a column on Evidently's pages
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
METRIC = r"metric_[0-9a-f]{32}"


# the tables

def typed(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return a table of any origin with its columns in their final types, and how many values of each could not be read.

    A column of numbers or dates is one in which at least 95 % of the values are; the rest of it and what is infinite counts as
    missing.
    """
    columns, unreadable = {}, {}
    for column in frame.columns:
        present = tables.blank_to_missing(frame[column])
        columns[column] = _typed_column(present)
        lost = int((present.notna() & columns[column].isna()).sum())
        if lost:
            unreadable[str(column)] = lost
    return pd.DataFrame(columns, index=frame.index).rename(columns=str), unreadable


def _typed_column(values: pd.Series) -> pd.Series:
    if tables.is_numeric(values):
        return tables.as_numbers(values)[0].replace([np.inf, -np.inf], np.nan)
    if not pd.api.types.is_bool_dtype(values) and pd.api.types.infer_dtype(values.dropna()) == "string":
        dates = pd.to_datetime(values, errors="coerce", format="ISO8601", utc=True)
        if dates.notna().sum() >= DATES * values.notna().sum():
            return dates
    return tables.as_text(values)


def kind(values: pd.Series) -> str:
    """Tell what a typed column holds: number, date or category."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return "date"
    return "number" if pd.api.types.is_float_dtype(values) else "category"


def schema_drift(reference: pd.DataFrame, current: pd.DataFrame, min_rows: int = 0) -> list[dict]:
    """Return the columns that are missing, new, empty on one side or of another type, each with what was found.

    What a column holds is judged only where both tables have the rows for it.
    """
    def change(column, what, detail):
        return {"column": column, "change": what, "detail": detail}

    found = [change(column, "missing", "not in the current data") for column in reference if column not in current]
    found += [change(column, "new", "not in the reference") for column in current if column not in reference]
    if min(len(reference), len(current)) < min_rows:
        return found
    for column in shared(reference, current):
        one, other = reference[column], current[column]
        empty = one.isna().all(), other.isna().all()
        if any(empty):
            if not all(empty):
                found.append(change(column, "empty", f"no value in the {'reference' if empty[0] else 'current data'}"))
        elif kind(one) != kind(other):
            found.append(change(column, "type", f"{kind(one)} in the reference, {kind(other)} in the current data"))
    return found


def shared(reference: pd.DataFrame, current: pd.DataFrame) -> list[str]:
    """Return the columns that both tables have, in the reference's order."""
    return [column for column in reference if column in current]


# tests and effect sizes

def compare_numbers(reference: np.ndarray, current: np.ndarray) -> dict:
    """Return the two-sample Kolmogorov-Smirnov test and the Wasserstein distance in standard deviations of the reference.

    Both read the distance of the two empirical distributions, so one sort of each side serves them. The p-value is that of the
    asymptotic distribution, which is conservative where values repeat. A constant reference is measured in the standard
    deviation of both tables.
    """
    from scipy.stats import kstwo
    one, other = np.sort(reference), np.sort(current)
    both = np.concatenate([one, other])
    both.sort(kind="stable")                # a merge: both halves are in order
    gap = np.abs(np.searchsorted(one, both, "right") / len(one) - np.searchsorted(other, both, "right") / len(other))
    unit = max(-both[0], both[-1]) or 1.0   # so that the largest numbers do not overflow
    distance = float(gap[:-1] @ np.diff(both / unit))
    scale = (one if one[0] < one[-1] else both) / unit
    statistic = float(gap.max())
    return {"test": "Kolmogorov-Smirnov", "statistic": statistic,
            "p_value": float(kstwo.sf(statistic, round(len(one) * len(other) / (len(one) + len(other))))),
            "effect": "normed Wasserstein", "effect_size": distance / float(scale.std()) if distance else 0.0}


def compare_categories(reference: pd.Series, current: pd.Series) -> dict:
    """Return a test of equal shares and the Jensen-Shannon distance, base 2 (Lin 1991): 0 = alike, 1 = nothing in common.

    Categories too rare to be compared one by one are taken together, so that a column of 10,000 names is no alarm by itself.
    """
    from scipy.spatial.distance import jensenshannon
    counts = pd.DataFrame({REFERENCE: reference.value_counts(sort=False), CURRENT: current.value_counts(sort=False)})
    counts = counts.fillna(0).sort_index()
    table = _rare_together(counts.to_numpy().T)
    distance = jensenshannon(*(table / table.sum(axis=1, keepdims=True)), base=2) if table.shape[1] > 1 else 0.0
    return {**contingency_test(table), "effect": "Jensen-Shannon", "effect_size": float(np.nan_to_num(distance)),
            "new_categories": int((counts[REFERENCE] == 0).sum())}


def _rare_together(table: np.ndarray) -> np.ndarray:
    """Return a table of counts in which the columns expected less than five times on either side are one."""
    expected = table.sum(axis=0) * table.sum(axis=1).min() / table.sum()
    rare = expected < SMALL
    return np.column_stack([table[:, ~rare], table[:, rare].sum(axis=1)]) if rare.sum() > 1 else table


def contingency_test(table: np.ndarray) -> dict:
    """Return the test that two rows of counts have equal shares: chi-squared, or another where counts are small.

    Then it is Fisher's exact test for two columns, the G-test (log-likelihood ratio) for more.
    """
    from scipy.stats import chi2_contingency, fisher_exact
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return {"test": "none: one category", "statistic": 0.0, "p_value": 1.0}
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    if expected.min() >= SMALL:
        name, found = "chi-squared", chi2_contingency(table, correction=False)
    elif table.shape[1] == 2:
        odds, p_value = fisher_exact(table)
        return {"test": "Fisher's exact", "statistic": float(odds) if np.isfinite(odds) else None, "p_value": float(p_value)}
    else:
        name, found = "G-test", chi2_contingency(table, correction=False, lambda_="log-likelihood")
    return {"test": name, "statistic": float(found.statistic), "p_value": float(found.pvalue)}


def compare_missing(reference: pd.Series, current: pd.Series) -> dict:
    """Return the shares of missing values and, where there are any, the test that they are equal."""
    gaps = np.array([reference.isna().sum(), current.isna().sum()])
    rows = np.array([len(reference), len(current)])
    shares = gaps / np.maximum(rows, 1)
    none = {"test": None, "statistic": None, "p_value": None}
    test = contingency_test(np.column_stack([gaps, rows - gaps])) if gaps.any() else none
    return {REFERENCE: float(shares[0]), CURRENT: float(shares[1]), **test, "effect_size": float(abs(shares[0] - shares[1]))}


def adjusted(p_values: list[float]) -> np.ndarray:
    """Return p-values adjusted for the false discovery rate (Benjamini and Hochberg 1995), in the same order."""
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(-p_values, kind="stable")
    ranks = np.arange(len(p_values), 0, -1)
    result = np.empty(len(p_values))
    result[order] = np.minimum.accumulate(np.minimum(p_values[order] * len(p_values) / ranks, 1))
    return result


# verdicts

def compare(reference: pd.DataFrame, current: pd.DataFrame, limits: Drift) -> dict[str, dict]:
    """Return {column: test, effect size, missing shares, verdict} of the columns that both typed tables have.

    `drift_score` is the effect size, of the values or the missing share, in units of its threshold.
    """
    results = {column: _compare_column(reference[column], current[column], limits) for column in shared(reference, current)}
    tests = [test for result in results.values() for test in (result, result["missing"])
             if test["p_value"] is not None and test["verdict"] != TOO_FEW]
    for test, p_value in zip(tests, adjusted([test["p_value"] for test in tests])):
        test["p_adjusted"] = float(p_value)
        found = p_value < limits.alpha and test["effect_size"] >= test["threshold"]
        test["verdict"] = DRIFT if found else NO_DRIFT
    for result in results.values():
        parts = {"values": result, "missing": result["missing"]}
        result["drift_in"] = [name for name, test in parts.items() if test["verdict"] == DRIFT]
        result["drift_score"] = max(test["effect_size"] / (test["threshold"] or 1) for test in parts.values())
        if result["drift_in"]:
            result["verdict"] = DRIFT
    return results


def _compare_column(one: pd.Series, other: pd.Series, limits: Drift) -> dict:
    """Return a column's test before correction, and the verdict where there is none to wait for."""
    present = one.dropna(), other.dropna()
    sort, rows = kind(one), min(map(len, present))
    enough = {"verdict": TOO_FEW if min(len(one), len(other)) < limits.min_rows else NO_DRIFT}
    result = {"kind": sort, "test": None, "statistic": None, "p_value": None, "p_adjusted": None, "effect": None,
              "effect_size": 0.0, "threshold": limits.numbers if sort == "number" else limits.categories,
              "missing": {**compare_missing(one, other), "p_adjusted": None, "threshold": limits.missing, **enough}}
    if rows == 0 or kind(other) != sort or sort == "date":
        return {**result, "verdict": NOT_COMPARED}          # empty, another type, or dates, which move by themselves
    test = compare_numbers(*(values.to_numpy() for values in present)) if sort == "number" else compare_categories(*present)
    return {**result, **test, "verdict": TOO_FEW if rows < limits.min_rows else NO_DRIFT}


def summary(columns: dict[str, dict], changes: list[dict], rows: dict[str, int], limits: Drift) -> dict:
    """Return the table's verdict, the share of drifted columns and the mean drift score, 1 being a column on its threshold.

    A column that is missing, empty or of another type is drift whatever the rest says; a new one, which no model reads, is not.
    """
    compared = {name: column for name, column in columns.items() if column["verdict"] in (DRIFT, NO_DRIFT)}
    drifted = [name for name, column in compared.items() if column["verdict"] == DRIFT]
    broken = [change["column"] for change in changes if change["change"] != "new"]
    if broken or len(drifted) >= limits.min_columns:
        verdict = DRIFT
    else:
        verdict = NO_DRIFT if compared and min(rows.values()) >= limits.min_rows else TOO_FEW
    return {"verdict": verdict, "drift_share": len(drifted) / len(compared) if compared else None,
            "drift_score": float(np.mean([column["drift_score"] for column in compared.values()])) if compared else None,
            "compared": len(compared), "drifted": sorted(drifted, key=lambda name: (-columns[name]["drift_score"], name))}


def correlation_changes(reference: pd.DataFrame, current: pd.DataFrame, limits: Drift) -> list[dict]:
    """Return the pairs of number columns whose rank correlation changed, the largest change first.

    Each is tested by Fisher's z with Bonett and Wright's (2000) variance, corrected over the pairs as the columns are. Of large
    tables every so many-th row is read.
    """
    reference, current = (frame.iloc[::max(1, len(frame) // CORRELATED_ROWS)] for frame in (reference, current))
    names = [name for name in shared(reference, current) if kind(reference[name]) == kind(current[name]) == "number"
             and min(reference[name].nunique(), current[name].nunique()) > 1]
    if len(names) < 2 or min(len(reference), len(current)) < limits.min_rows:
        return []
    left, right = np.triu_indices(len(names), k=1)
    z, variance, rho = [], [], []
    for frame in (reference[names], current[names]):
        r = frame.rank().corr().to_numpy()[left, right]
        there = frame.notna().to_numpy(dtype=float)
        n = (there.T @ there)[left, right]
        rho.append(r)
        z.append(np.arctanh(np.clip(r, -0.999999, 0.999999)))
        variance.append((1 + r**2 / 2) / np.maximum(n - 3, 1))
    from scipy.stats import norm
    p_values = 2 * norm.sf(np.abs(z[0] - z[1]) / np.sqrt(variance[0] + variance[1]))
    change = np.abs(rho[0] - rho[1])
    defined = np.flatnonzero(np.isfinite(p_values))
    p_values[defined] = adjusted(p_values[defined])
    found = [place for place in defined if p_values[place] < limits.alpha and change[place] >= limits.correlation]
    return [{"columns": [names[left[place]], names[right[place]]], REFERENCE: float(rho[0][place]),
             CURRENT: float(rho[1][place]), "p_adjusted": float(p_values[place])}
            for place in sorted(found, key=lambda place: (-change[place], place))[:LISTED]]


# data quality

def quality(reference: pd.DataFrame, current: pd.DataFrame, columns: dict[str, dict], changes: list[dict],
            limits: Drift, unreadable: dict[str, dict] | None = None) -> dict:
    """Return missing values, duplicates, outliers and constant columns of both tables, and a verdict with its reasons.

    Outliers of both are what lies outside Tukey's fences of the reference, so that the shares can be compared.
    """
    names = shared(reference, current)
    fences = {name: _fences(reference[name]) for name in names if kind(reference[name]) == kind(current[name]) == "number"}
    sides = {REFERENCE: _side(reference[names], fences), CURRENT: _side(current[names], fences)}
    for side, lost in (unreadable or {}).items():
        sides[side]["unreadable"] = lost
    one, other = sides[REFERENCE], sides[CURRENT]
    reasons = [f"{change['column']}: {change['change']}, {change['detail']}" for change in changes]
    reasons += [f"{name}: missing {column['missing'][REFERENCE]:.1%} -> {column['missing'][CURRENT]:.1%}"
                for name, column in columns.items() if column["missing"]["verdict"] == DRIFT]
    reasons += [f"{name}: {count} values cannot be read" for name, count in other.get("unreadable", {}).items()]
    reasons += [f"{name}: constant" for name in other["constant"] if columns[name]["verdict"] == DRIFT]
    reasons += [f"{name}: outliers {one['outliers'].get(name, 0) / len(reference):.1%} -> {count / len(current):.1%}"
                for name, count in other["outliers"].items() if _more_often(one["outliers"].get(name, 0), count,
                                                                            len(reference), len(current), limits)]
    duplicated = [_duplicate_share(frame[names], min(len(reference), len(current))) for frame in (reference, current)]
    if len(names) > 1 and duplicated[1] - duplicated[0] >= RISE:
        reasons.append(f"duplicate rows {duplicated[0]:.1%} -> {duplicated[1]:.1%}")
    return {"verdict": "check" if reasons else "good", "reasons": reasons, **sides}


def _fences(values: pd.Series) -> tuple[float, float]:
    low, high = values.quantile(0.25), values.quantile(0.75)
    return low - tables.IQR_FENCE * (high - low), high + tables.IQR_FENCE * (high - low)


def _more_often(one: int, other: int, rows: int, other_rows: int, limits: Drift) -> bool:
    """Tell whether a count is a larger share of the other table's rows, by RISE or more and by more than chance."""
    table = np.array([[one, rows - one], [other, other_rows - other]])
    return (min(rows, other_rows) >= limits.min_rows and other / other_rows - one / rows >= RISE
            and contingency_test(table)["p_value"] < limits.alpha)


def _side(frame: pd.DataFrame, fences: dict[str, tuple[float, float]]) -> dict:
    outliers = {name: int(((frame[name] < low) | (frame[name] > high)).sum()) for name, (low, high) in fences.items()}
    return {"rows": len(frame), "missing_share": float(frame.isna().to_numpy().mean()) if frame.size else 0.0,
            "duplicates": int(frame.duplicated().sum()) if frame.shape[1] else 0,
            "outliers": {name: count for name, count in outliers.items() if count},
            "constant": [name for name in frame if _constant(frame[name])]}


def _duplicate_share(frame: pd.DataFrame, rows: int) -> float:
    """Return the share of duplicates among so many rows: the more rows, the more of them are alike by chance."""
    return float(frame.head(rows).duplicated().mean()) if frame.shape[1] else 0.0


def _constant(values: pd.Series) -> bool:
    return values.head(100).nunique(dropna=False) <= 1 and values.nunique(dropna=False) <= 1


# what it means

def performance(task: str, target: pd.Series, prediction: pd.Series) -> dict[str, float]:
    """Return the metrics of predicted labels or numbers where both are there; nothing where no row has both."""
    there = target.notna() & prediction.notna()
    if not there.any():
        return {}
    target, prediction = target[there], prediction[there]
    if task == "regression":
        from pipeline import scoring
        return scoring.regression_metrics(target.to_numpy(), prediction.to_numpy())
    from sklearn.metrics import accuracy_score, f1_score
    target, prediction = tables.as_text(target), tables.as_text(prediction)
    return {"accuracy": float(accuracy_score(target, prediction)),
            "f1_macro": float(f1_score(target, prediction, average="macro", zero_division=0))}


def recommendation(results: dict, limits: Drift) -> str:
    """Return in words what to do about the results."""
    broken = [change["column"] for change in results["schema_drift"] if change["change"] != "new"]
    target = [results[part]["column"] for part in ("target", "prediction") if (results.get(part) or {}).get("verdict") == DRIFT]
    if results["compared"] == 0 and broken:
        return f"no column can be compared: these are tables of different things, or mend {tables.listed(broken)}"
    if broken:
        return f"mend the columns first: {tables.listed(broken)}"
    if results["verdict"] == TOO_FEW:
        return (f"collect more rows before judging: {min(results['rows'].values())} of the {limits.min_rows} that a verdict needs"
                if min(results["rows"].values()) < limits.min_rows else "no column has values enough to be judged")
    if (results.get("performance") or {}).get("worse"):
        return "retrain: the model does worse on the current rows" + (
            f"; look at {tables.listed(results['drifted'])}" if results["drifted"] else "")
    if results["verdict"] == DRIFT and target:
        return f"retrain: {tables.listed(target)} moved" + (
            f", and so did {tables.listed(results['drifted'])}" if results["drifted"] else "")
    if results["verdict"] == DRIFT:
        return f"look at {tables.listed(results['drifted'])}; retrain if the change is to stay"
    return "nothing to do" if results["quality"]["verdict"] == "good" else f"look at the data: {results['quality']['reasons'][0]}"


def rounded(content):
    """Return nested results with numbers of six significant digits; what is not finite is None."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, list):
        return [rounded(value) for value in content]
    if isinstance(content, float):
        return float(f"{content:.6g}") if np.isfinite(content) else None
    return content


# Evidently's pages

def pages(reference: pd.DataFrame, current: pd.DataFrame, results: dict, roles: dict, limits: Drift, seed: int) -> dict[str, str]:
    """Return {name: HTML} of Evidently's reports: data drift, data quality, target drift and, with labels, model performance.

    They draw a seeded sample of both typed tables and show the scores and verdicts of `results`, which are of all rows. A report
    of what is not there is left out, and so is performance where a class lies in one of the samples only. `roles` names the
    columns `target`, `prediction` and `label` (the predicted class), the `task` and the `positive` class, each or None.
    """
    from evidently import Dataset, Report
    frames = [drawn(frame, limits.report_rows, seed) for frame in (reference, current)]
    found = {}
    there = {name for name in shared(*frames) if all(frame[name].notna().any() for frame in frames)}
    for name, (definition, metrics, complete) in _reports(results, roles, there).items():
        samples = [frame[definition.numerical_columns + definition.categorical_columns] for frame in frames]
        if complete:
            samples = [sample.dropna() for sample in samples]
            if not _scorable(*(sample[roles["target"]] for sample in samples), roles["task"]):
                continue
        one, other = (Dataset.from_pandas(sample.reset_index(drop=True), definition) for sample in samples)
        with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):       # Evidently's own
            html = Report(metrics).run(other, one).get_html_str(as_iframe=False)
        found[name] = repeatable(_with_verdict(html, results, [len(frame) for frame in frames]))
    return found


def drawn(frame: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """Return a seeded sample of at most so many rows, in their order, the rare ones of many categories as one."""
    chosen = np.sort(np.random.default_rng(seed).permutation(len(frame))[:rows])
    frame = frame.iloc[chosen].copy()
    for column in frame:
        if kind(frame[column]) == "category" and frame[column].nunique() > MOST_CATEGORIES:
            common = frame[column].value_counts().index[:MOST_CATEGORIES]
            frame[column] = frame[column].where(frame[column].isin(common) | frame[column].isna(), OTHER)
    return frame


def _reports(results: dict, roles: dict, there: set[str]) -> dict[str, tuple]:
    """Return {name: (Evidently's definition of the columns, its metrics, whether rows with a gap are left out)}.

    `there` are the columns with values in both samples: an empty one ends Evidently's run.
    """
    from evidently.metrics import ValueDrift
    from evidently.presets import DataDriftPreset, DataSummaryPreset
    features = {name: column for name, column in results["columns"].items() if column["test"] and name in there}
    answers = {results[part]["column"]: results[part] for part in ("target", "prediction")
               if results[part] and results[part]["test"] and results[part]["column"] in there}
    _register_verdicts(features | answers)
    reports = {}
    if features:
        definition, share = _definition(features), results["thresholds"]["min_columns"] / len(features)
        reports["drift"] = definition, [DataDriftPreset(columns=list(features), method="verdict", drift_share=share)], False
        reports["quality"] = definition, [DataSummaryPreset(columns=list(features))], False
    if answers:
        reports["target_drift"] = _definition(answers), [ValueDrift(column=name, method="verdict") for name in answers], False
    if roles["task"] and all((results["performance"] or {}).get(side) for side in (REFERENCE, CURRENT)):
        reports["performance"] = *_performance_report(roles), True
    return reports


def _definition(columns: dict[str, dict]):
    from evidently import DataDefinition
    by_kind = {sort: [name for name, column in columns.items() if column["kind"] == sort] for sort in ("number", "category")}
    return DataDefinition(numerical_columns=by_kind["number"], categorical_columns=by_kind["category"])


def _performance_report(roles: dict) -> tuple:
    from evidently import BinaryClassification, DataDefinition, MulticlassClassification, Regression
    from evidently.presets import ClassificationPreset, RegressionPreset
    target, prediction, label = roles["target"], roles["prediction"], roles["label"]
    if roles["task"] == "regression":
        return DataDefinition(numerical_columns=[target, prediction], categorical_columns=[],
                              regression=[Regression(target=target, prediction=prediction)]), [RegressionPreset()]
    probability = prediction if label != prediction else None
    if roles["positive"]:
        task = BinaryClassification(target=target, prediction_labels=label, prediction_probas=probability,
                                    pos_label=roles["positive"])
    else:
        task = MulticlassClassification(target=target, prediction_labels=label)
    return DataDefinition(numerical_columns=[probability] if probability else [], categorical_columns=[target, label],
                          classification=[task]), [ClassificationPreset()]


def _scorable(one: pd.Series, other: pd.Series, task: str) -> bool:
    """Tell whether Evidently can score both samples: it fails where a class is in one of them only, or alone."""
    if task == "regression":
        return min(len(one), len(other)) > 1
    return set(one) == set(other) and one.nunique() > 1


def _register_verdicts(columns: dict[str, dict]) -> None:
    """Make Evidently show these columns' scores and verdicts in the place of its own tests."""
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    def verdict(reference, current, feature_type, threshold):
        column = columns[reference.name]
        return column["drift_score"], column["verdict"] == DRIFT

    register_stattest(StatTest("verdict", "effect size / threshold, all rows", [ColumnType.Numerical, ColumnType.Categorical],
                               default_threshold=1.0), verdict)


def _with_verdict(html: str, results: dict, rows: list[int]) -> str:
    """Return a page that tells the verdict, what to do and what it draws at its top."""
    text = (f"<p><b>{escape(results['verdict'])}</b>: {escape(results['recommendation'])}</p><p>Tests and verdicts: all "
            f"{results['rows'][REFERENCE]:,} reference and {results['rows'][CURRENT]:,} current rows. Figures below: "
            f"{rows[0]:,} and {rows[1]:,} of them{', of synthetic data' * bool(results.get('synthetic'))}. To keep a page as "
            f"PDF, print it from the browser.</p>")
    page, found = re.subn(r"<body[^>]*>", lambda body: f'{body[0]}<div style="font: 16px sans-serif; margin: 16px">{text}</div>',
                          html, count=1)
    return page if found else text + page


def repeatable(html: str) -> str:
    """Return a page in which the random identifiers are derived from its content and their place."""
    seen = {}
    bare = re.sub(UUID, "", html)
    content = hashlib.sha256(re.sub(METRIC, "", bare).encode()).hexdigest()

    def derived(found):
        place = seen.setdefault(found[0], len(seen))
        name = uuid.uuid5(uuid.NAMESPACE_OID, f"{content} {place}")
        return f"metric_{name.hex}" if found[0].startswith("metric_") else str(name)

    return re.sub(f"{METRIC}|{UUID}", derived, html)
