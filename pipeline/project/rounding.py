"""Metrics by task, their intervals, the decision threshold, gates, and the one chooser of the best candidate.

`output` is what a model puts out: numbers of shape (rows,), or class probabilities of shape (rows, classes). Targets of
classification are class numbers, 0 to classes - 1, the positive class last. Precision, recall and F1 are those of the positive
class where there are two classes, else the unweighted mean over the classes, as is the ROC AUC (each class against the rest).
"""

import math

import numpy as np


def significant(value: float) -> float | None:
    """Return a metric with six significant digits; None where it is not defined."""
    return None if value is None or not math.isfinite(value) else float(f"{value:.6g}")


def rounded(content):
    """Return nested results with numbers of six significant digits; what is not finite is None."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, list):
        return [rounded(value) for value in content]
    if isinstance(content, float):
        return float(f"{content:.6g}") if np.isfinite(content) else None
    return content


def number_text(value: float | None) -> str:
    """Return a figure as it is printed: four digits, or whole from a thousand on."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    # `or 0`, so that nothing reads -0
    return f"{value or 0:.4g}"
