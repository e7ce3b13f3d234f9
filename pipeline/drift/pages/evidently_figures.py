"""Figures that Evidently draws of samples of two tables: distributions, curves, and errors.

Its tests, its verdicts and its scores are not used: they would be of the sample, and by other
rules. This is the only module that imports Evidently.
"""

import json
import warnings
from collections.abc import Mapping
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, DATE, NUMBER, TEXT
from pipeline.drift.roles import Roles, Sides

Figure = dict[str, Any]  # plotly's: data and layout

OTHER, NO_VALUE = "(other)", "(missing)"
MOST_CATEGORIES = 50  # of a column that are drawn one by one
ROUNDING = 1e-9  # of the largest number
# names of the columns that Evidently sees, as it fails on some that tables have
TARGET, PREDICTION = "target", "prediction"
# the figures taken from Evidently's presets: its heading above each, and the caption here
CLASSIFIER_FIGURES = {"ROC Curve": "ROC", "Precision-Recall Curve": "Precision and recall"}
REGRESSION_FIGURES = {
    "Predicted vs Actual in Time": "Predicted and actual, current rows in their order",
    "Error (Predicted - Actual)": "Error (predicted - actual), rows in their order",
    "Error Distribution": "Distribution of the errors",
}
# red, Evidently's colour of current rows, is that of drift here
CURRENT_COLOUR, REFERENCE_COLOUR = "#0072b2", "#8a94a0"


def distributions(samples: Sides[pd.DataFrame], columns: Mapping[str, str]) -> dict[str, Figure]:
    """Return {column: its distribution in both samples}; `columns` gives the kind of each.

    Of dates it is that of the years with their fractions, of texts that of the numbers of words.
    One that holds the same number everywhere, but for rounding, is left out.
    """
    from evidently import DataDefinition
    from evidently.metrics import MinValue, UniqueValueCount

    # metrics of one value, which draw nothing but the column's distribution
    names, metrics = {}, []
    reference, current = {}, {}
    for place, (name, kind) in enumerate(columns.items()):
        sampled = Sides(samples.reference[name], samples.current[name])
        sides = _drawable(sampled.map(_as_drawn))
        if sides is not None:
            drawn = f"column_{place}"
            names[drawn] = name
            reference[drawn], current[drawn] = sides.reference, sides.current
            metrics.append((UniqueValueCount if kind == CATEGORY else MinValue)(column=drawn))
    if not metrics:
        return {}
    numbers = [drawn for drawn, name in names.items() if columns[name] != CATEGORY]
    categories = [drawn for drawn, name in names.items() if columns[name] == CATEGORY]
    definition = DataDefinition(numerical_columns=numbers, categorical_columns=categories)
    frames = Sides(pd.DataFrame(reference), pd.DataFrame(current))
    widgets = _widgets(frames, definition, metrics)
    figures = {}
    for name, widget in zip(names.values(), widgets, strict=True):
        figures[name] = _figure(widget.params)
        if columns[name] == CATEGORY:
            # else plotly takes texts that look like numbers or dates for these
            figures[name]["layout"]["xaxis"]["type"] = "category"
    return figures


def _as_drawn(values: pd.Series) -> pd.Series:
    """Return a column as numbers or categories."""
    kind = kinds.kind_of(values)
    if kind == DATE:
        return values.dt.year + values.dt.dayofyear / 366
    if kind == TEXT:
        return kinds.word_counts(values.dropna()).reindex(values.index).astype("float64")
    return values


def performance_figures(samples: Sides[pd.DataFrame], roles: Roles) -> dict[str, Figure]:
    """Return {caption: figure} of a model's output; {} where there is nothing to draw.

    These are curves of the probability of the positive class, or a regression's errors.
    """
    if roles.task == "regression":
        return _regression_figures(samples, roles)
    if roles.probability is None:
        return {}
    return _classifier_figures(samples, roles)


def _regression_figures(samples: Sides[pd.DataFrame], roles: Roles) -> dict[str, Figure]:
    from evidently import DataDefinition, Regression
    from evidently.presets import RegressionPreset

    rows = _answered(samples, {TARGET: roles.target, PREDICTION: roles.prediction})
    if min(len(rows.reference), len(rows.current)) < 2 or _has_one_error(rows):
        return {}
    definition = DataDefinition(
        numerical_columns=[TARGET, PREDICTION],
        categorical_columns=[],
        regression=[Regression(target=TARGET, prediction=PREDICTION)],
    )
    widgets = _widgets(rows, definition, [RegressionPreset()])
    return _below_headings(widgets, REGRESSION_FIGURES)


def _has_one_error(rows: Sides[pd.DataFrame]) -> bool:
    """Tell whether all predictions are off by the same, but for rounding."""
    both = pd.concat([rows.reference, rows.current])
    errors = both[PREDICTION] - both[TARGET]
    return bool(errors.max() - errors.min() <= ROUNDING * both[TARGET].abs().max())


def _classifier_figures(samples: Sides[pd.DataFrame], roles: Roles) -> dict[str, Figure]:
    from evidently import BinaryClassification, DataDefinition
    from evidently.presets import ClassificationPreset

    rows = _answered(samples, {TARGET: roles.target, PREDICTION: roles.probability})
    rows = rows.map(lambda frame: frame.assign(**{TARGET: _is_positive(frame[TARGET], roles)}))
    # a curve needs rows of both classes
    if rows.reference[TARGET].nunique() < 2 or rows.current[TARGET].nunique() < 2:
        return {}
    definition = DataDefinition(
        numerical_columns=[PREDICTION],
        categorical_columns=[TARGET],
        classification=[
            BinaryClassification(target=TARGET, prediction_probas=PREDICTION, pos_label="yes")
        ],
    )
    widgets = _widgets(rows, definition, [ClassificationPreset()])
    return _below_headings(widgets, CLASSIFIER_FIGURES)


def _answered(
    samples: Sides[pd.DataFrame], columns: Mapping[str, str | None]
) -> Sides[pd.DataFrame]:
    """Return these columns under other names, of the rows that have a value in each."""
    return samples.map(
        lambda frame: pd.DataFrame({new: frame[old] for new, old in columns.items()}).dropna()
    )


def _is_positive(target: pd.Series, roles: Roles) -> pd.Series:
    """Return yes or no for each row, as Evidently takes class labels for more than text."""
    return (kinds.as_text(target) == roles.positive).map({True: "yes", False: "no"})


def _drawable(sides: Sides[pd.Series]) -> Sides[pd.Series] | None:
    """Return a column of both samples as it is drawn; None where there is nothing to see."""
    if kinds.kind_of(sides.reference) != NUMBER:
        return sides.map(_category_texts)
    return None if _is_constant(pd.concat([sides.reference, sides.current])) else sides


def _is_constant(values: pd.Series) -> bool:
    """Tell whether numbers differ by no more than their rounding: Evidently fails on such bins."""
    with np.errstate(over="ignore"):
        return bool(values.max() - values.min() <= ROUNDING * values.abs().max())


def _category_texts(values: pd.Series) -> pd.Series:
    """Return categories as text for plotly, which reads tags and entities; rare ones together."""
    texts = kinds.as_text(values)
    if texts.nunique() > MOST_CATEGORIES:
        common = texts.value_counts().index[:MOST_CATEGORIES]
        texts = texts.where(texts.isin(common) | texts.isna(), OTHER)
    return texts.fillna(NO_VALUE).map(escape)


# what Evidently gives


def _widgets(samples: Sides[pd.DataFrame], definition: Any, metrics: list[Any]) -> list[Any]:
    """Return the parts of Evidently's report on the samples."""
    from evidently import Dataset, Report

    data = samples.map(lambda frame: Dataset.from_pandas(frame.reset_index(drop=True), definition))
    # the warnings are Evidently's own
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        run = Report(metrics).run(data.current, data.reference)
    return run.to_snapshot_model().widgets


def _below_headings(widgets: list[Any], captions: dict[str, str]) -> dict[str, Figure]:
    """Return {caption: figure} of those below Evidently's headings, which `captions` renames."""
    figures = {}
    heading = ""
    for widget in widgets:
        if widget.type == "counter":
            heading = widget.params["counters"][0]["label"]
        elif widget.type == "big_graph" and heading in captions:
            figures[captions[heading]] = _figure(widget.params)
    return figures


def _figure(params: Any) -> Figure:
    """Return a figure of Evidently's as plain JSON, in this project's colours."""
    from evidently.legacy.options import ColorOptions
    from plotly.io.json import to_json_plotly

    colours = ColorOptions()
    text = to_json_plotly(params, engine="json")
    text = text.replace(colours.get_current_data_color(), CURRENT_COLOUR)
    figure = json.loads(text.replace(colours.get_reference_data_color(), REFERENCE_COLOUR))
    layout = figure["layout"]
    # the theme, which is larger than the figure
    layout.pop("template", None)
    layout |= {"margin": {"l": 55, "r": 15, "t": 60, "b": 45}, "height": 320}
    for menu in layout.get("updatemenus", []):
        # not below plotly's own buttons, which are on the right
        menu |= {"x": 0, "xanchor": "left", "y": 1.28}
    return figure
