"""Significant digits: how many of a number are written to files and shown."""

import math
from typing import Any

DIGITS = 6  # of the numbers in JSON files


def to_digits(value: float, digits: int = DIGITS) -> float:
    """Return a number with so many significant digits; what is not finite stays as it is."""
    return float(f"{value:.{digits}g}")


def significant(value: float | None, digits: int = DIGITS) -> float | None:
    """Return a number with so many significant digits; None where it is missing or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return to_digits(value, digits)


def rounded(content: Any) -> Any:
    """Return nested dicts and lists with every float as `significant` gives it."""
    if isinstance(content, dict):
        return {key: rounded(value) for key, value in content.items()}
    if isinstance(content, list):
        return [rounded(value) for value in content]
    if isinstance(content, float):
        return significant(content)
    return content


def number_text(value: float | None) -> str:
    """Return a figure as it is printed: four digits, or whole from a thousand on."""
    if value is None:
        return "–"
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    # `or 0`, so that nothing reads -0
    return f"{value or 0:.4g}"
