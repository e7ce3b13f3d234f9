"""Requests as the inference log takes them."""

from pipeline.serving.inference_log.lines import Entry

LARGE = 10_000_000


def entry(request_id: str = "a", rows: int = 1, **more) -> Entry:
    return Entry(
        1_700_000_000_123_456_789,
        request_id,
        "M",
        3,
        [{"size": 1.5, "town": None}] * rows,
        [{"prediction": "x", "probabilities": {"x": 0.75, "y": 0.25}}] * rows,
        **more,
    )
