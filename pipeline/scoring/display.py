"""What the figures of a dataset call for, in words: each piece of advice follows from the figures by one rule below."""


def number_text(value: float | None) -> str:
    """Return a figure as it is printed: four digits, or whole from a thousand on."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value or 0:.4g}"  # no -0


def bounds_text(gate: dict) -> str:
    """Return what a gate asks for."""
    return " and ".join(
        f"{sign} {number_text(gate[bound])}"
        for bound, sign in (("min", "≥"), ("max", "≤"))
        if gate[bound] is not None
    )
