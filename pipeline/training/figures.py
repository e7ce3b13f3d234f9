"""Figures of one model, drawn by scikit-learn's displays, as PNG files whose bytes repeat."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.project import files

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 72
MOST_BARS = 20
MOST_POINTS = 2000  # of a scatter plot; more would hide each other
MOST_CURVES = 8
MOST_LETTERS = 24  # of a label


@dataclass(frozen=True)
class Part:
    """Rows that a model is drawn on: its output has shape (rows,) or (rows, classes)."""

    name: str
    y: np.ndarray
    output: np.ndarray


@dataclass(frozen=True)
class Curve:
    """The rows of one class against the rest: which belong to it, and their probabilities."""

    name: str
    belongs: np.ndarray
    probability: np.ndarray


def save(figure: "Figure", path: Path) -> None:
    """Write a figure as PNG without the version and date that would change its bytes."""
    with files.replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})


def load_libraries() -> None:
    """Import what figures are drawn with, which takes as long as to draw one."""
    import sklearn.calibration
    import sklearn.metrics  # noqa: F401


def draw_candidate(
    folder: Path,
    title: str,
    importance: dict[str, float],
    metric: str,
    test: Part,
    out_of_fold: Part,
    decisions: np.ndarray | None,
    classes: list[str] | None,
) -> None:
    """Write the figures of one model; `decisions` are class numbers of the test rows."""
    save(feature_importance(importance, metric, title), folder / "feature_importance.png")
    if classes is None:
        save(regression(test, title), folder / "predictions_plot.png")
        return
    figure = classification(test, out_of_fold, decisions, classes, title)
    save(figure, folder / "classification_plots.png")


def _figure(columns: int, rows: int, title: str, left: float = 0.15) -> tuple["Figure", np.ndarray]:
    """Return a figure and its axes; fixed margins, as fitting them to the texts takes longer."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * columns, 4.5 * rows))
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    figure.subplots_adjust(
        left=left / columns,
        right=1 - 0.05 / columns,
        bottom=0.13 / rows,
        top=1 - 0.16 / rows,
        wspace=0.3,
        hspace=0.35,
    )
    return figure, figure.subplots(rows, columns, squeeze=False).ravel()


def feature_importance(importance: dict[str, float], metric: str, title: str) -> "Figure":
    """Draw how much the metric loses when a column is shuffled, the most important on top."""
    figure, (axes,) = _figure(1, 1, title, left=0.35)
    most_first = sorted(importance.items(), key=lambda item: (-item[1], item[0]))
    upwards = most_first[:MOST_BARS][::-1]
    axes.barh([_short(name) for name, _ in upwards], [value for _, value in upwards])
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_xlabel(f"loss of test {metric} when shuffled")
    return figure


def regression(test: Part, title: str) -> "Figure":
    """Draw predicted against actual values and the residuals of the test split."""
    from sklearn.metrics import PredictionErrorDisplay

    figure, axes = _figure(2, 1, title)
    every = max(1, len(test.y) // MOST_POINTS)
    for axis, kind in zip(axes, ("actual_vs_predicted", "residual_vs_predicted")):
        PredictionErrorDisplay.from_predictions(
            test.y[::every],
            test.output[::every],
            kind=kind,
            ax=axis,
            subsample=None,
            scatter_kwargs={"s": 9, "alpha": 0.4},
        )
        axis.set_title(kind.replace("_", " ") + ", test split")
    return figure


def classification(
    test: Part, out_of_fold: Part, decisions: np.ndarray | None, classes: list[str], title: str
) -> "Figure":
    """Draw ROC, precision-recall and calibration curves and the test split's confusion matrix.

    With two classes the curves are those of the positive class on both parts; with more, one per
    class against the rest, out of fold.
    """
    figure, axes = _figure(2, 2, title)
    roc, precision_recall, calibration, matrix = axes
    if len(classes) == 2:
        curves = [_curve(part.name, part, 1) for part in (test, out_of_fold)]
        of_what = classes[1]
    else:
        drawn = classes[:MOST_CURVES]
        curves = [_curve(label, out_of_fold, number) for number, label in enumerate(drawn)]
        of_what = "each class, out of fold"
    for curve in curves:
        if curve.belongs.min() != curve.belongs.max():  # no curve where a class is absent
            _draw_curve(curve, roc, precision_recall, calibration)
    roc.set_title(f"ROC of {of_what}")
    precision_recall.set_title(f"precision and recall of {of_what}")
    calibration.set_title(f"calibration of {of_what}")
    _draw_matrix(test.y, decisions, classes, matrix)
    return figure


def _curve(name: str, part: Part, number: int) -> Curve:
    return Curve(name, (part.y == number).astype(int), part.output[:, number])


def _draw_curve(curve: Curve, roc: Any, precision_recall: Any, calibration: Any) -> None:
    """Draw one curve into each of three axes."""
    from sklearn.calibration import CalibrationDisplay
    from sklearn.metrics import PrecisionRecallDisplay, RocCurveDisplay

    name = _short(curve.name)
    RocCurveDisplay.from_predictions(curve.belongs, curve.probability, name=name, ax=roc)
    PrecisionRecallDisplay.from_predictions(
        curve.belongs, curve.probability, name=name, ax=precision_recall
    )
    CalibrationDisplay.from_predictions(
        curve.belongs,
        curve.probability,
        n_bins=10,
        strategy="quantile",
        name=name,
        ax=calibration,
    )


def _draw_matrix(
    y: np.ndarray, decisions: np.ndarray | None, classes: list[str], axes: Any
) -> None:
    """Draw the confusion matrix of the test rows."""
    from sklearn.metrics import ConfusionMatrixDisplay

    ConfusionMatrixDisplay.from_predictions(
        y,
        decisions,
        labels=range(len(classes)),
        display_labels=[_short(label) for label in classes],
        ax=axes,
        colorbar=False,
    )
    axes.set_title("confusion matrix, test split")


def _short(text: str) -> str:
    """Return a label that fits, drawn as it is written: a dollar sign would start a formula."""
    import matplotlib

    if len(text) > MOST_LETTERS:
        text = text[: MOST_LETTERS - 1] + "…"
    return text if matplotlib.rcParams["text.usetex"] else text.replace("$", r"\$")
