"""Evidently's pages of a comparison: drift, data quality, target drift and model performance; the only importer of Evidently.

They show the verdicts of pipeline.drift, which are of all rows, and draw a sample. Evidently's own tests are not run.
"""

import hashlib
import re
import uuid
import warnings
from contextlib import contextmanager
from html import escape

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, NUMBER
from pipeline.drift import tables, verdicts
from pipeline.drift.roles import CURRENT, REFERENCE, Roles

OTHER = "(other)"
MOST_CATEGORIES = 50  # of a column that are drawn
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
METRIC = r"metric_[0-9a-f]{32}"


def pages(
    reference: pd.DataFrame, current: pd.DataFrame, results: dict, roles: Roles
) -> dict[str, str]:
    """Return {name: HTML} of Evidently's reports on a sample of both tables, with the scores and verdicts of `results`.

    A report of what is not there is left out, and so is performance where a class lies in one of the samples only. `roles` is
    what drift.judge takes.
    """
    from evidently import Dataset, Report

    frames = [rare_together(frame) for frame in (reference, current)]
    found = {}
    there = {
        name
        for name in tables.shared_columns(*frames)
        if all(frame[name].notna().any() for frame in frames)
    }
    for name, (definition, metrics, complete) in _reports(results, roles, there).items():
        samples = [
            frame[definition.numerical_columns + definition.categorical_columns] for frame in frames
        ]
        if complete:
            samples = [sample.dropna() for sample in samples]
            if not _scorable(*(sample[roles.target] for sample in samples), roles.task):
                continue
        one, other = (
            Dataset.from_pandas(sample.reset_index(drop=True), definition) for sample in samples
        )
        with (
            np.errstate(all="ignore"),
            warnings.catch_warnings(action="ignore"),
            _drawn_once_and_in_order(),
        ):  # of Evidently
            html = Report(metrics).run(other, one).get_html_str(as_iframe=False)
        found[name] = repeatable(_with_verdict(html, results, [len(frame) for frame in frames]))
    return found


def rare_together(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a sample in which the rare categories of a column that has many are one."""
    columns = {}
    for name, values in frame.items():
        if kinds.kind_of(values) == CATEGORY and values.nunique() > MOST_CATEGORIES:
            values = values.where(
                values.isin(values.value_counts().index[:MOST_CATEGORIES]) | values.isna(), OTHER
            )
        columns[name] = values
    return pd.DataFrame(columns)


@contextmanager
def _drawn_once_and_in_order():
    """Make Evidently draw the distribution of a column once, not for each figure that it prints of it, of which it shows one, and
    leave out the theme that plotly stores with every chart: most of the time of a run, and of a page but for plotly itself. Make
    it list a column's categories in their order and without the missing, which have a figure of their own: the place of a nan in
    a set is another one in each process.
    """
    import plotly.io
    from evidently.metrics import column_statistics

    counts = column_statistics.UniqueValueCountCalculation
    draw, template, drawings, unique = (
        column_statistics.distribution,
        plotly.io.templates.default,
        {},
        counts._all_unique_values,
    )

    def distribution(title, current, reference):
        if current.data.name not in drawings:
            drawings[current.data.name] = draw(title, current, reference)
        return drawings[current.data.name]

    def in_order(calculation, current, reference):
        return sorted(
            (value for value in unique(calculation, current, reference) if not pd.isna(value)),
            key=str,
        )

    column_statistics.distribution, plotly.io.templates.default, counts._all_unique_values = (
        distribution,
        None,
        in_order,
    )
    try:
        yield
    finally:
        column_statistics.distribution, plotly.io.templates.default, counts._all_unique_values = (
            draw,
            template,
            unique,
        )


def _reports(results: dict, roles: Roles, there: set[str]) -> dict[str, tuple]:
    """Return {name: (Evidently's definition of the columns, its metrics, whether rows with a gap are left out)}.

    `there` are the columns with values in both samples: an empty one ends Evidently's run.
    """
    from evidently.metrics import ValueDrift
    from evidently.presets import DataDriftPreset, DataSummaryPreset

    class DriftTable(DataDriftPreset):
        """The preset shows a table that it draws itself; without this it draws every column once more, which nobody sees."""

        def generate_metrics(self, context):
            return super().generate_metrics(context)[:1]

    features = {
        name: column
        for name, column in results["columns"].items()
        if column["test"] and name in there
    }
    answers = {
        results[part]["column"]: results[part]
        for part in ("target", "prediction")
        if results[part] and results[part]["test"] and results[part]["column"] in there
    }
    _register_verdicts(features | answers)
    reports = {}
    if features:
        definition, share = (
            _definition(features),
            results["thresholds"]["min_columns"] / len(features),
        )
        reports["drift"] = (
            definition,
            [DriftTable(columns=list(features), method="verdict", drift_share=share)],
            False,
        )
        reports["quality"] = definition, [DataSummaryPreset(columns=list(features))], False
    if answers:
        reports["target_drift"] = (
            _definition(answers),
            [ValueDrift(column=name, method="verdict") for name in answers],
            False,
        )
    if roles.task and all(
        (results["performance"] or {}).get(side) for side in (REFERENCE, CURRENT)
    ):
        reports["performance"] = *_performance_report(roles), True
    return reports


def _definition(columns: dict[str, dict]):
    from evidently import DataDefinition

    by_kind = {
        sort: [name for name, column in columns.items() if column["kind"] == sort]
        for sort in (NUMBER, CATEGORY)
    }
    return DataDefinition(numerical_columns=by_kind[NUMBER], categorical_columns=by_kind[CATEGORY])


def _performance_report(roles: Roles) -> tuple:
    from evidently import BinaryClassification, DataDefinition, MulticlassClassification, Regression
    from evidently.presets import ClassificationPreset, RegressionPreset

    target, prediction, label = roles.target, roles.prediction, roles.label
    if roles.task == "regression":
        return DataDefinition(
            numerical_columns=[target, prediction],
            categorical_columns=[],
            regression=[Regression(target=target, prediction=prediction)],
        ), [RegressionPreset()]
    probability = prediction if label != prediction else None
    if roles.positive:
        task = BinaryClassification(
            target=target,
            prediction_labels=label,
            prediction_probas=probability,
            pos_label=roles.positive,
        )
    else:
        task = MulticlassClassification(target=target, prediction_labels=label)
    return DataDefinition(
        numerical_columns=[probability] if probability else [],
        categorical_columns=[target, label],
        classification=[task],
    ), [ClassificationPreset()]


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
        return column["drift_score"], column["verdict"] == verdicts.DRIFT

    register_stattest(
        StatTest(
            "verdict",
            "effect size / threshold, all rows",
            [ColumnType.Numerical, ColumnType.Categorical],
            default_threshold=1.0,
        ),
        verdict,
    )


def _with_verdict(html: str, results: dict, rows: list[int]) -> str:
    """Return a page that tells the verdict, what to do and what it draws at its top."""
    text = (
        f"<p><b>{escape(results['verdict'])}</b>: {escape(results['recommendation'])}</p><p>Tests and verdicts: all "
        f"{results['rows'][REFERENCE]:,} reference and {results['rows'][CURRENT]:,} current rows. Figures below: "
        f"{rows[0]:,} and {rows[1]:,} of them{', of synthetic data' * bool(results.get('synthetic'))}. To keep a page as "
        f"PDF, print it from the browser.</p>"
    )
    page, found = re.subn(
        r"<body[^>]*>",
        lambda body: f'{body[0]}<div style="font: 16px sans-serif; margin: 16px">{text}</div>',
        html,
        count=1,
    )
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
