"""Evidently's pages of a comparison: drift, data quality, target drift and model performance.

They show the verdicts of pipeline.drift, which are of all rows, and draw a sample. Evidently's own
tests are not run. This is the only module that imports Evidently.
"""

import hashlib
import re
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, NUMBER
from pipeline.data.typed_tables import shared_columns
from pipeline.drift import verdicts
from pipeline.drift.results import TableComparison
from pipeline.drift.roles import CURRENT, REFERENCE, Roles, Sides
from pipeline.drift.verdicts import ColumnResult
from pipeline.project import rounding

OTHER = "(other)"
MOST_CATEGORIES = 50  # of a column that are drawn one by one
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
METRIC = r"metric_[0-9a-f]{32}"
METHOD = "verdict"  # under which Evidently knows the verdicts of pipeline.drift


@dataclass(frozen=True)
class _PageContent:
    """What Evidently draws on a page: its definition of the columns, and its metrics.

    Where `whole_rows` is set, rows with a missing value are left out.
    """

    definition: Any
    metrics: list[Any]
    whole_rows: bool = False

    def rows(self, sample: pd.DataFrame) -> pd.DataFrame:
        """Return the columns and rows of a sample that the page draws."""
        numbers, categories = self.definition.numerical_columns, self.definition.categorical_columns
        rows = sample[numbers + categories]
        return rows.dropna() if self.whole_rows else rows


def pages(found: TableComparison, synthetic: bool = False) -> dict[str, str]:
    """Return {name: HTML} of Evidently's reports on a sample of both tables.

    A report of what is not there is left out, and so is performance where a class lies in one of
    the samples only.
    """
    samples = found.samples.map(rare_together)
    # an empty column ends Evidently's run
    drawable = {
        name
        for name in shared_columns(samples.reference, samples.current)
        if samples.reference[name].notna().any() and samples.current[name].notna().any()
    }
    text = heading(found, samples.map(len), synthetic)
    made = {}
    for name, content in _contents(found, drawable).items():
        rows: Sides[pd.DataFrame] = samples.map(content.rows)
        if content.whole_rows and not _is_scorable(rows, found.roles):
            continue
        made[name] = repeatable(with_heading(_drawn_by_evidently(rows, content), text))
    return made


def _drawn_by_evidently(samples: Sides[pd.DataFrame], content: _PageContent) -> str:
    """Return Evidently's page of the samples."""
    import plotly.io
    from evidently import Dataset, Report

    data = samples.map(
        lambda frame: Dataset.from_pandas(frame.reset_index(drop=True), content.definition)
    )
    # the theme that plotly stores with every chart is most of a page but for plotly itself
    no_theme = _replaced(plotly.io.templates, "default", None)
    # the warnings are Evidently's own
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        with _columns_drawn_once(), _categories_in_order(), no_theme:
            run = Report(content.metrics).run(data.current, data.reference)
            return run.get_html_str(as_iframe=False)


def rare_together(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a sample in which the rare categories of a column that has many are one."""
    columns = {}
    for name, values in frame.items():
        if kinds.kind_of(values) == CATEGORY and values.nunique() > MOST_CATEGORIES:
            common = values.value_counts().index[:MOST_CATEGORIES]
            values = values.where(values.isin(common) | values.isna(), OTHER)
        columns[name] = values
    return pd.DataFrame(columns)


# what Evidently does otherwise than these pages need


@contextmanager
def _replaced(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Give an attribute another value for the time of the block."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _columns_drawn_once() -> Iterator[None]:
    """Make Evidently draw a column once, not for each of its figures: most of a run's time."""
    from evidently.metrics import column_statistics

    draw: Callable = column_statistics.distribution
    drawings: dict[str, Any] = {}

    def distribution(title: str, current: Any, reference: Any) -> Any:
        name = current.data.name
        if name not in drawings:
            drawings[name] = draw(title, current, reference)
        return drawings[name]

    with _replaced(column_statistics, "distribution", distribution):
        yield


@contextmanager
def _categories_in_order() -> Iterator[None]:
    """Make Evidently list a column's categories in order, the missing ones left out.

    Those have a figure of their own, and the place of a nan in a set differs by process.
    """
    from evidently.metrics import column_statistics

    counts = column_statistics.UniqueValueCountCalculation
    unique: Callable = counts._all_unique_values

    def in_order(calculation: Any, current: Any, reference: Any) -> list[Any]:
        values = unique(calculation, current, reference)
        return sorted((value for value in values if not pd.isna(value)), key=str)

    with _replaced(counts, "_all_unique_values", in_order):
        yield


# what stands on each page


def _contents(found: TableComparison, drawable: set[str]) -> dict[str, _PageContent]:
    """Return what each page draws of the drawable columns."""
    from evidently.metrics import ValueDrift
    from evidently.presets import DataSummaryPreset

    features, answers = _shown_columns(found, drawable)
    _register_verdicts(features | answers)
    contents = {}
    if features:
        definition, names = _definition(features), list(features)
        share = found.limits.min_columns / len(features)
        contents["drift"] = _PageContent(definition, [_drift_table(names, share)])
        contents["quality"] = _PageContent(definition, [DataSummaryPreset(columns=names)])
    if answers:
        drifts = [ValueDrift(column=name, method=METHOD) for name in answers]
        contents["target_drift"] = _PageContent(_definition(answers), drifts)
    scores = found.performance or {}
    if found.roles.task and scores.get(REFERENCE) and scores.get(CURRENT):
        contents["performance"] = _performance(found.roles)
    return contents


def _shown_columns(
    found: TableComparison, drawable: set[str]
) -> tuple[dict[str, ColumnResult], dict[str, ColumnResult]]:
    """Return the features that are drawn, and the columns of true and predicted answers."""
    features: dict[str, ColumnResult] = {}
    answers: dict[str, ColumnResult] = {}
    for name, column in found.results.items():
        if column.is_tested and name in drawable:
            side = features if name in found.columns else answers
            side[name] = column
    return features, answers


def _drift_table(names: list[str], share: float) -> Any:
    """Return Evidently's preset with its table alone; the rest draws every column again, unseen."""
    from evidently.presets import DataDriftPreset

    class DriftTable(DataDriftPreset):
        def generate_metrics(self, context: Any) -> Any:
            return super().generate_metrics(context)[:1]

    return DriftTable(columns=names, method=METHOD, drift_share=share)


def _definition(columns: dict[str, ColumnResult]) -> Any:
    """Return Evidently's definition of tested columns."""
    from evidently import DataDefinition

    numbers = [name for name, column in columns.items() if column.kind == NUMBER]
    categories = [name for name, column in columns.items() if column.kind == CATEGORY]
    return DataDefinition(numerical_columns=numbers, categorical_columns=categories)


def _performance(roles: Roles) -> _PageContent:
    """Return the page of the model's performance."""
    from evidently import DataDefinition, Regression
    from evidently.presets import ClassificationPreset, RegressionPreset

    if roles.task == "regression":
        definition = DataDefinition(
            numerical_columns=[roles.target, roles.prediction],
            categorical_columns=[],
            regression=[Regression(target=roles.target, prediction=roles.prediction)],
        )
        return _PageContent(definition, [RegressionPreset()], whole_rows=True)
    definition = DataDefinition(
        numerical_columns=[roles.probability] if roles.probability else [],
        categorical_columns=[roles.target, roles.label],
        classification=[_classification(roles)],
    )
    return _PageContent(definition, [ClassificationPreset()], whole_rows=True)


def _classification(roles: Roles) -> Any:
    """Return what Evidently must know of a classifier's columns."""
    from evidently import BinaryClassification, MulticlassClassification

    if not roles.positive:
        return MulticlassClassification(target=roles.target, prediction_labels=roles.label)
    return BinaryClassification(
        target=roles.target,
        prediction_labels=roles.label,
        prediction_probas=roles.probability,
        pos_label=roles.positive,
    )


def _is_scorable(rows: Sides[pd.DataFrame], roles: Roles) -> bool:
    """Tell whether Evidently can score both samples: it needs two rows, and the same classes."""
    one, other = rows.reference[roles.target], rows.current[roles.target]
    if roles.task == "regression":
        return min(len(one), len(other)) > 1
    return set(one) == set(other) and one.nunique() > 1


def _register_verdicts(columns: dict[str, ColumnResult]) -> None:
    """Make Evidently show these columns' scores and verdicts in the place of its own tests."""
    from evidently.legacy.calculations.stattests import StatTest, register_stattest
    from evidently.legacy.core import ColumnType

    def verdict(
        reference: pd.Series, current: pd.Series, feature_type: Any, threshold: float
    ) -> tuple[float | None, bool]:
        column = columns[reference.name]
        return rounding.significant(column.drift_score), column.verdict == verdicts.DRIFT

    test = StatTest(
        METHOD,
        "effect size / threshold, all rows",
        [ColumnType.Numerical, ColumnType.Categorical],
        default_threshold=1.0,
    )
    register_stattest(test, verdict)


# the page itself


def heading(found: TableComparison, drawn: Sides[int], synthetic: bool) -> str:
    """Return the verdict, what to do, and what the page draws, as HTML."""
    data = ", of synthetic data" if synthetic else ""
    return (
        f"<p><b>{escape(found.verdict)}</b>: {escape(found.recommendation)}</p>"
        f"<p>Tests and verdicts: all {found.rows.reference:,} reference and "
        f"{found.rows.current:,} current rows. Figures below: {drawn.reference:,} and "
        f"{drawn.current:,} of them{data}. To keep a page as PDF, print it from the browser.</p>"
    )


def with_heading(html: str, text: str) -> str:
    """Return a page with a heading at its top."""
    block = f'<div style="font: 16px sans-serif; margin: 16px">{text}</div>'
    page, places = re.subn(r"<body[^>]*>", lambda body: f"{body[0]}{block}", html, count=1)
    return page if places else text + page


def repeatable(html: str) -> str:
    """Return a page whose random identifiers are derived from its content and their place."""
    seen: dict[str, int] = {}
    bare = re.sub(UUID, "", html)
    content = hashlib.sha256(re.sub(METRIC, "", bare).encode()).hexdigest()

    def derived(found: re.Match[str]) -> str:
        place = seen.setdefault(found[0], len(seen))
        name = uuid.uuid5(uuid.NAMESPACE_OID, f"{content} {place}")
        return f"metric_{name.hex}" if found[0].startswith("metric_") else str(name)

    return re.sub(f"{METRIC}|{UUID}", derived, html)
