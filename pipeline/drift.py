"""Drift between two tables: tests, effect sizes, verdicts, data quality, and what to do.

A column has drifted where a test rejects that both tables were drawn alike, after Benjamini and Hochberg's correction over all
columns, and an effect size says that the difference matters: with enough rows the first alone calls every trifle, with few the
second alone calls noise. Columns are typed, tables whatever gives them by name; see columns.Table.
"""

import threading

import numpy as np
import pandas as pd

from pipeline import paths, tables, workers
from pipeline.columns import kind
from pipeline.errors import DataError
from pipeline.params import Drift

DRIFT, NO_DRIFT, TOO_FEW, NOT_COMPARED = "drift", "no drift", "not enough data", "not compared"
REFERENCE, CURRENT = "reference", "current"
SMALL = 5                   # an expected count below it makes the chi-squared distribution a poor approximation (Cochran 1954)
RISE = 0.05                 # of the share of duplicates or outliers, from which on data quality is called changed
CORRELATED_ROWS = 20_000    # or a few more, of each table: enough to see any change of a correlation that matters
IGNORED = 0.01              # of the greatest importance: a column below it does not matter to the model
LISTED_IMPORTANCES = 20     # a model's figures list so many columns at most
LISTED = 10                 # correlation changes that are listed, the largest first


# two tables

def judge(reference, current, roles: dict, limits: Drift, seed: int = 0, n_workers: int = 1, measured: dict | None = None,
          ignored: set[str] = frozenset(), sparse: set[str] = frozenset()) -> tuple[dict, tuple[pd.DataFrame, pd.DataFrame]]:
    """Return every result of comparing two tables, and a seeded sample of either, of at most `report_rows` rows.

    One pass over the columns, `n_workers` at a time, so that no more than these are in memory where tables are read by columns.
    `roles` names the columns `target`, `prediction` and `label` (the predicted class), the `task` and the `positive` class, each
    or None. Drift in an `ignored` column is told and is no alarm; of a `sparse` one, what is missing tells nothing.
    """
    answers = {roles["target"], roles["prediction"], roles["label"]}
    hidden = {roles["label"]} - {roles["prediction"]}           # says the same as the probabilities
    sides, names = (reference, current), shared(reference, current)
    drawn = [np.sort(np.random.default_rng(seed).permutation(len(side))[:limits.report_rows]) for side in sides]
    hashes, lock = [np.zeros(len(side), dtype=np.uint64) for side in sides], threading.Lock()

    def examine(_, place, name):
        one, other = reference[name], current[name]
        found = look(one, other, limits, name in sparse)
        if name not in answers:
            added = [_hashes(values, place) for values in (one, other)]
            with lock:
                for side, values in zip(hashes, added):
                    side += values
            if found["result"]["kind"] == "number":
                found["thinned"] = [_thinned(values) for values in (one, other)]
        found["drawn"] = [values.iloc[rows] for values, rows in zip((one, other), drawn)]
        return found

    with workers.progress(len(names), "drift", "column") as step, workers.pool(n_workers) as run:
        looks = dict(zip(names, run(examine, None, list(enumerate(names)), lambda place, found: step())))
    samples = tuple(pd.DataFrame({name: found["drawn"][side].reset_index(drop=True) for name, found in looks.items()})
                    for side in (0, 1))
    thinned = [pd.DataFrame({name: found["thinned"][side] for name, found in looks.items() if "thinned" in found})
               for side in (0, 1)]
    both = corrected({name: found["result"] for name, found in looks.items() if name not in hidden}, limits)
    features = {name: found for name, found in looks.items() if name not in answers}
    columns = {name: both[name] for name in features}
    rows = {REFERENCE: len(reference), CURRENT: len(current)}
    changes = _named_differently(*([name for name in side if name not in answers] for side in sides))
    if min(rows.values()) >= limits.min_rows:
        changes += [change for name in features for change in looks[name]["changes"]]

    results = {"rows": rows, **summary(columns, changes, rows, limits, ignored)}
    for part in ("target", "prediction"):
        results[part] = {"column": roles[part], **both[roles[part]]} if roles[part] in both else None
        if results[part] and results[part]["verdict"] == DRIFT:
            results["verdict"] = DRIFT
    if results["target"]:
        results["target"]["mean"] = {side: mean(table[roles["target"]], roles["positive"])
                                     for side, table in ((REFERENCE, reference), (CURRENT, current))}
    results |= {"schema_drift": changes, "performance": measured, "columns": columns,
                "correlations": correlation_changes(*thinned, limits) if min(rows.values()) >= limits.min_rows else [],
                "quality": quality(features, columns, hashes, changes, limits), "thresholds": limits.model_dump()}
    results["recommendation"] = recommendation(results, limits)
    return rounded({"verdict": results.pop("verdict"), "recommendation": results.pop("recommendation"), **results}), samples


def compare(reference, current, limits: Drift) -> dict[str, dict]:
    """Return {column: test, effect size, missing shares, verdict} of the columns that both tables have.

    `drift_score` is the effect size, of the values or the missing share, in units of its threshold.
    """
    looks = {name: look(reference[name], current[name], limits) for name in shared(reference, current)}
    return corrected({name: found["result"] for name, found in looks.items()}, limits)


def schema_drift(reference, current, min_rows: int = 0) -> list[dict]:
    """Return the columns that are missing, new, empty on one side or of another type, each with what was found.

    What a column holds is judged only where both tables have the rows for it.
    """
    found = _named_differently(reference, current)
    if min(len(reference), len(current)) >= min_rows:
        found += [change for name in shared(reference, current) for change in _held_differently(reference[name], current[name])]
    return found


def _named_differently(reference, current) -> list[dict]:
    missing = {"change": "missing", "detail": "not in the current data"}
    new = {"change": "new", "detail": "not in the reference"}
    return [{"column": name, **missing} for name in reference if name not in current] + [
        {"column": name, **new} for name in current if name not in reference]


def _held_differently(one: pd.Series, other: pd.Series) -> list[dict]:
    """Return the change of what a column holds, in a list, or an empty one."""
    empty = bool(one.isna().all()), bool(other.isna().all())
    if any(empty):
        return [] if all(empty) else [{"column": one.name, "change": "empty",
                                       "detail": f"no value in the {'reference' if empty[0] else 'current data'}"}]
    if kind(one) != kind(other):
        return [{"column": one.name, "change": "type",
                 "detail": f"{kind(one)} in the reference, {kind(other)} in the current data"}]
    return []


def shared(reference, current) -> list[str]:
    """Return the columns that both tables have, in the reference's order."""
    return [column for column in reference if column in current]


def mean(target: pd.Series, positive: str | None) -> float | None:
    """Return the mean of a numeric target, or the share of its positive class; None where there is neither."""
    present = target.dropna()
    if not len(present):
        return None
    if kind(present) == "number":
        return float(present.mean())
    return float((present == positive).mean()) if positive else None


# one column

def look(one: pd.Series, other: pd.Series, limits: Drift, sparse: bool = False) -> dict:
    """Return what two typed columns tell: the `result` of the tests before correction, `changes` of the schema, and what data
    quality asks of either: constant, unreadable and, of numbers, outliers.

    Numbers are sorted once, which serves the test, the distance and the quartiles. The verdict is final where there is no
    correction to wait for.
    """
    sort, few = kind(one), min(len(one), len(other)) < limits.min_rows
    verdict = TOO_FEW if few else NO_DRIFT
    missing = _no_test(one, other) if sparse else compare_missing(one, other)
    result = {"kind": sort, "test": None, "statistic": None, "p_value": None, "p_adjusted": None, "effect": None,
              "effect_size": 0.0, "threshold": limits.numbers if sort == "number" else limits.categories,
              "missing": {**missing, "p_adjusted": None, "threshold": limits.missing, "verdict": verdict}}
    found = {"result": result, "changes": _held_differently(one, other), "constant": [constant(one), constant(other)],
             "unreadable": [values.attrs.get("unreadable", 0) for values in (one, other)], "outliers": [0, 0]}
    present = one.dropna(), other.dropna()
    rows = min(map(len, present))
    if sort == kind(other) == "number":
        present = tuple(np.sort(values.to_numpy()) for values in present)
        found["outliers"] = outliers(*present)
    if rows == 0 or kind(other) != sort or sort == "date":      # empty, another type, or dates, which move by themselves
        result["verdict"] = NOT_COMPARED
    else:
        test = compare_numbers(*present) if sort == "number" else compare_categories(*present)
        result.update(test, verdict=TOO_FEW if rows < limits.min_rows else NO_DRIFT)
    return found


def constant(values: pd.Series) -> bool:
    return values.head(100).nunique(dropna=False) <= 1 and values.nunique(dropna=False) <= 1


def outliers(one: np.ndarray, other: np.ndarray) -> list[int]:
    """Return how many of two sorted arrays lie outside Tukey's fences of the first, so that the shares can be compared."""
    if not len(one):
        return [0, 0]
    low, high = (_quantile(one, share) for share in (0.25, 0.75))
    fence = tables.IQR_FENCE * (high - low)
    return [int(np.searchsorted(values, low - fence, "left") + len(values) - np.searchsorted(values, high + fence, "right"))
            for values in (one, other)]


def _quantile(ordered: np.ndarray, share: float) -> float:
    """Return a quantile of a sorted array, between two values the straight line."""
    place = share * (len(ordered) - 1)
    below, above = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
    return float(below + (above - below) * (place - int(place)))


def _hashes(values: pd.Series, place: int) -> np.ndarray:
    """Return a number for each value of a column; the sums over the columns of a row tell which rows are alike."""
    content = values.to_numpy() + 0.0 if kind(values) == "number" else pd.factorize(values)[0]      # 0.0: -0 is 0
    return pd.util.hash_array(content) * np.uint64(2 * place + 1)


def _thinned(values: pd.Series) -> np.ndarray:
    """Return every so many-th value; copied, as a view would keep the whole column in memory."""
    return values.to_numpy()[::max(1, len(values) // CORRELATED_ROWS)].copy()


# tests and effect sizes

def compare_numbers(reference: np.ndarray, current: np.ndarray) -> dict:
    """Return the two-sample Kolmogorov-Smirnov test and the Wasserstein distance in standard deviations of the reference.

    Both arrays are sorted: both figures read the distance of the two empirical distributions, which one merge of the two gives.
    The p-value is that of the asymptotic distribution, which is conservative where values repeat. A constant reference is
    measured in the standard deviation of both tables.
    """
    from scipy.stats import kstwo
    both = np.concatenate([reference, current])
    order = both.argsort(kind="stable")     # a merge: both halves are in order
    both = both[order]
    below = np.cumsum(order < len(reference), dtype=np.int64)               # so many of the reference are not above each value
    gap = np.abs(below / len(reference) - (np.arange(1, len(both) + 1) - below) / len(current))[:-1]
    unit = max(-both[0], both[-1]) or 1.0   # so that the largest numbers do not overflow
    distance = float(gap @ np.diff(both / unit))
    statistic = float(gap.max(where=both[1:] != both[:-1], initial=0.0))    # of values that repeat, the last has them all below
    scale = (reference if reference[0] < reference[-1] else both) / unit
    rows = round(len(reference) * len(current) / (len(reference) + len(current)))
    return {"test": "Kolmogorov-Smirnov", "statistic": statistic, "p_value": float(kstwo.sf(statistic, rows)),
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
    if not gaps.any():
        return _no_test(reference, current)
    rows = np.array([len(reference), len(current)])
    shares = gaps / np.maximum(rows, 1)
    return {REFERENCE: float(shares[0]), CURRENT: float(shares[1]), **contingency_test(np.column_stack([gaps, rows - gaps])),
            "effect_size": float(abs(shares[0] - shares[1]))}


def _no_test(reference: pd.Series, current: pd.Series) -> dict:
    shares = [float(values.isna().mean()) if len(values) else 0.0 for values in (reference, current)]
    return {REFERENCE: shares[0], CURRENT: shares[1], "test": None, "statistic": None, "p_value": None, "effect_size": 0.0}


def adjusted(p_values: list[float]) -> np.ndarray:
    """Return p-values adjusted for the false discovery rate (Benjamini and Hochberg 1995), in the same order."""
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(-p_values, kind="stable")
    ranks = np.arange(len(p_values), 0, -1)
    result = np.empty(len(p_values))
    result[order] = np.minimum.accumulate(np.minimum(p_values[order] * len(p_values) / ranks, 1))
    return result


# verdicts

def corrected(results: dict[str, dict], limits: Drift) -> dict[str, dict]:
    """Return the results of the columns' tests with p-values adjusted over all of them, and the verdicts."""
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


def summary(columns: dict[str, dict], changes: list[dict], rows: dict[str, int], limits: Drift,
            ignored: set[str] = frozenset()) -> dict:
    """Return the table's verdict, the share of drifted columns and the mean drift score, 1 being a column on its threshold.

    A column that is missing, empty or of another type is drift whatever the rest says; a new one, which no model reads, is not,
    nor is one that drifted and is `ignored`.
    """
    compared = {name: column for name, column in columns.items() if column["verdict"] in (DRIFT, NO_DRIFT)}
    drifted = [name for name, column in compared.items() if column["verdict"] == DRIFT and name not in ignored]
    noted = [name for name, column in compared.items() if column["verdict"] == DRIFT and name in ignored]
    broken = [change["column"] for change in changes if change["change"] != "new"]
    if broken or len(drifted) >= limits.min_columns:
        verdict = DRIFT
    else:
        verdict = NO_DRIFT if compared and min(rows.values()) >= limits.min_rows else TOO_FEW
    return {"verdict": verdict, "drift_share": len(drifted) / len(compared) if compared else None,
            "drift_score": float(np.mean([column["drift_score"] for column in compared.values()])) if compared else None,
            "compared": len(compared), **{key: sorted(names, key=lambda name: (-columns[name]["drift_score"], name))
                                          for key, names in (("drifted", drifted), ("drifted_ignored", noted))}}


def correlation_changes(reference: pd.DataFrame, current: pd.DataFrame, limits: Drift) -> list[dict]:
    """Return the pairs of number columns whose rank correlation changed, the largest change first.

    Each is tested by Fisher's z with Bonett and Wright's (2000) variance, corrected over the pairs as the columns are.
    """
    names = [name for name in shared(reference, current) if kind(reference[name]) == kind(current[name]) == "number"
             and min(reference[name].nunique(), current[name].nunique()) > 1]
    if len(names) < 2:
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

def quality(looks: dict[str, dict], columns: dict[str, dict], hashes: list[np.ndarray], changes: list[dict],
            limits: Drift) -> dict:
    """Return missing values, duplicates, outliers and constant columns of both tables, and a verdict with its reasons.

    `looks` are what each column told, `columns` the verdicts, and `hashes` a number for each row of either table.
    """
    rows = [len(side) for side in hashes]
    sides = {name: _side(looks, columns, side, rows[side], hashes[side]) for side, name in enumerate((REFERENCE, CURRENT))}
    one, other = sides[REFERENCE], sides[CURRENT]
    reasons = [f"{change['column']}: {change['change']}, {change['detail']}" for change in changes]
    reasons += [f"{name}: missing {column['missing'][REFERENCE]:.1%} -> {column['missing'][CURRENT]:.1%}"
                for name, column in columns.items() if column["missing"]["verdict"] == DRIFT]
    reasons += [f"{name}: {count} values cannot be read" for name, count in other["unreadable"].items()]
    reasons += [f"{name}: constant" for name in other["constant"] if columns[name]["verdict"] == DRIFT]
    reasons += [f"{name}: outliers {one['outliers'].get(name, 0) / rows[0]:.1%} -> {count / rows[1]:.1%}"
                for name, count in other["outliers"].items() if _more_often(one["outliers"].get(name, 0), count, *rows, limits)]
    duplicated = [_duplicates(side[:min(rows)]) / min(rows) for side in hashes]     # the more rows, the more are alike by chance
    if len(looks) > 1 and duplicated[1] - duplicated[0] >= RISE:
        reasons.append(f"duplicate rows {duplicated[0]:.1%} -> {duplicated[1]:.1%}")
    return {"verdict": "check" if reasons else "good", "reasons": reasons, **sides}


def _side(looks: dict[str, dict], columns: dict[str, dict], side: int, rows: int, hashes: np.ndarray) -> dict:
    missing = [column["missing"][(REFERENCE, CURRENT)[side]] for column in columns.values()]
    return {"rows": rows, "missing_share": float(np.mean(missing)) if missing else 0.0,
            "duplicates": _duplicates(hashes) if looks else 0,
            **{part: {name: found[part][side] for name, found in looks.items() if found[part][side]}
               for part in ("outliers", "unreadable")},
            "constant": [name for name, found in looks.items() if found["constant"][side]]}


def _duplicates(hashes: np.ndarray) -> int:
    return int((np.diff(np.sort(hashes)) == 0).sum())


def _more_often(one: int, other: int, rows: int, other_rows: int, limits: Drift) -> bool:
    """Tell whether a count is a larger share of the other table's rows, by RISE or more and by more than chance."""
    table = np.array([[one, rows - one], [other, other_rows - other]])
    return (min(rows, other_rows) >= limits.min_rows and other / other_rows - one / rows >= RISE
            and contingency_test(table)["p_value"] < limits.alpha)


# what it means

def ignored(importance: dict[str, float] | None, columns, limits: Drift, dataset: str) -> set[str]:
    """Return the columns that the model ignores, where drift is weighted by importance: shuffling one of them costs the model
    less than a hundredth of what the most important one costs, or it does not see it.

    `importance` lists the most important columns. One that it does not list is ignored only where that is sure.
    """
    if limits.weighting == "none":
        return set()
    if importance is None:
        raise DataError(f"{paths.metrics(dataset, 'train')}: no importances, which drift.weighting needs; run `python train.py "
                        f"--dataset {dataset}`")
    importance = {column: loss or 0.0 for column, loss in importance.items()}       # None: not defined on so few rows
    bar = IGNORED * max(importance.values(), default=0)
    all_listed = len(importance) < LISTED_IMPORTANCES or min(importance.values()) < bar
    return {column for column in columns if importance.get(column, 0 if all_listed else bar) < bar}


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
    if results["drifted_ignored"]:
        return f"nothing to do: the model ignores {tables.listed(results['drifted_ignored'])}, which moved"
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
