"""Figures: drawn by scikit-learn's displays, written as PNG files whose bytes repeat."""

from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from pipeline.project import files

DPI = 72
MOST_BARS = 20
MOST_POINTS = 2000  # of a scatter plot; more would hide each other
Parts = dict[
    str, tuple[np.ndarray, np.ndarray]
]  # {"test": (y, output), "out of fold": (y, output)}


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG without the version and date that would change its bytes."""
    with files.replacing(path) as partial:
        figure.savefig(partial, format="png", dpi=DPI, metadata={"Software": None})


def draw_candidate(
    folder: Path,
    title: str,
    importance: dict[str, float],
    metric: str,
    parts: Parts,
    decisions: np.ndarray | None,
    classes: list[str] | None,
) -> None:
    """Write the figures of one model."""
    save(feature_importance(importance, metric, title), folder / "feature_importance.png")
    if classes is None:
        save(regression(*parts["test"], title), folder / "predictions_plot.png")
    else:
        save(classification(parts, decisions, classes, title), folder / "classification_plots.png")


def _figure(columns: int, rows: int, title: str, left: float = 0.15):
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
    )  # fixed margins: fitting them to the texts takes longer than the drawing
    return figure, figure.subplots(rows, columns, squeeze=False).ravel()


def feature_importance(importance: dict[str, float], metric: str, title: str) -> Figure:
    """Draw how much the metric loses when a column is shuffled, the most important columns on top."""
    figure, (axes,) = _figure(1, 1, title, left=0.35)
    shown = sorted(importance.items(), key=lambda item: (-item[1], item[0]))[:MOST_BARS][::-1]
    axes.barh([_short(name) for name, _ in shown], [value for _, value in shown])
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set_xlabel(f"loss of test {metric} when shuffled")
    return figure


def regression(y: np.ndarray, prediction: np.ndarray, title: str) -> Figure:
    """Draw predicted against actual values and the residuals of the test split."""
    from sklearn.metrics import PredictionErrorDisplay

    figure, axes = _figure(2, 1, title)
    every = max(1, len(y) // MOST_POINTS)
    for axis, kind in zip(axes, ("actual_vs_predicted", "residual_vs_predicted")):
        PredictionErrorDisplay.from_predictions(
            y[::every],
            prediction[::every],
            kind=kind,
            ax=axis,
            subsample=None,
            scatter_kwargs={"s": 9, "alpha": 0.4},
        )
        axis.set_title(kind.replace("_", " ") + ", test split")
    return figure


def classification(parts: Parts, decisions: np.ndarray, classes: list[str], title: str) -> Figure:
    """Draw ROC, precision-recall and calibration curves and the test split's confusion matrix.

    With two classes the curves are those of the
    positive class on both parts; with more, one per class against the rest, out of fold.
    """
    from sklearn.calibration import CalibrationDisplay
    from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay

    figure, (roc, precision_recall, calibration, matrix) = _figure(2, 2, title)
    if len(classes) == 2:
        curves = {
            part: ((y == 1).astype(int), probabilities[:, 1])
            for part, (y, probabilities) in parts.items()
        }
        of_what = f"{classes[1]}"
    else:
        y, probabilities = parts["out of fold"]
        curves = {
            label: ((y == k).astype(int), probabilities[:, k])
            for k, label in enumerate(classes[:8])
        }
        of_what = "each class, out of fold"
    for name, (actual, scores) in curves.items():
        if actual.min() == actual.max():  # no curve where a class is absent
            continue
        RocCurveDisplay.from_predictions(actual, scores, name=_short(name), ax=roc)
        PrecisionRecallDisplay.from_predictions(
            actual, scores, name=_short(name), ax=precision_recall
        )
        CalibrationDisplay.from_predictions(
            actual, scores, n_bins=10, strategy="quantile", name=_short(name), ax=calibration
        )
    for axes, what in (
        (roc, "ROC"),
        (precision_recall, "precision and recall"),
        (calibration, "calibration"),
    ):
        axes.set_title(f"{what} of {of_what}")
    y = parts["test"][0]
    ConfusionMatrixDisplay.from_predictions(
        y,
        decisions,
        labels=range(len(classes)),
        display_labels=[_short(c) for c in classes],
        ax=matrix,
        colorbar=False,
    )
    matrix.set_title("confusion matrix, test split")
    return figure


def _short(text: str) -> str:
    """Return a label that fits and is drawn as it is written: a dollar sign would start a formula."""
    text = text if len(text) <= 24 else text[:23] + "…"
    return text.replace("$", r"\$") if not matplotlib.rcParams["text.usetex"] else text
