"""Milliseconds of one row with dates and texts, and of one whose columns the user's own code makes.

    OMP_NUM_THREADS=1 python -m benchmarks.own_code_row

In one process, without a server: processor time, at the median. The rows are drawn (synthetic data)
and have the columns of features/flights.py, with a date and a text besides.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pipeline.project.processor  # noqa: F401 - before numpy

import numpy as np
import pandas as pd

from features import flights
from pipeline.data import kinds
from pipeline.data.kinds import CATEGORY, DATE, NUMBER, TEXT
from pipeline.data.quality import statistics
from pipeline.models import catalogue, fitting
from pipeline.models.spec import ModelSpec
from pipeline.serving import compiled
from pipeline.serving.signature import signature

ROWS, CALLS, WARM_UP = 500, 300, 30
INPUTS = {
    "month": NUMBER,
    "day": NUMBER,
    "sched_dep_time": NUMBER,
    "sched_arr_time": NUMBER,
    "distance": NUMBER,
    "carrier": CATEGORY,
    "tailnum": CATEGORY,
    "origin": CATEGORY,
    "dest": CATEGORY,
    "booked": DATE,
    "remark": TEXT,
}
WORDS = "the bags came late again and nobody said why we waited at the gate".split()


def drawn_flights() -> pd.DataFrame:
    """Return typed rows."""
    rng = np.random.default_rng(0)
    times = rng.integers(0, 24, (2, ROWS)) * 100 + rng.integers(0, 60, (2, ROWS))
    columns: dict[str, Any] = {
        "month": rng.integers(1, 13, ROWS),
        "day": rng.integers(1, 29, ROWS),
        "sched_dep_time": times[0],
        "sched_arr_time": times[1],
        "distance": rng.integers(80, 3000, ROWS),
        "carrier": rng.choice(["UA", "AA", "DL"], ROWS),
        "tailnum": rng.choice([f"N{number}" for number in range(40)], ROWS),
        "origin": rng.choice(["JFK", "LGA", "EWR"], ROWS),
        "dest": rng.choice(["LAX", "ORD", "MIA"], ROWS),
        "booked": [f"2013-{day % 12 + 1:02}-15T10:00:00Z" for day in range(ROWS)],
        "remark": [" ".join(rng.choice(WORDS, 6)) for _ in range(ROWS)],
    }
    return kinds.conform(pd.DataFrame(columns), INPUTS)


def milliseconds(call: Callable[[], Any]) -> float:
    """Return the processor time of a call, at the median."""
    taken = []
    for _ in range(WARM_UP + CALLS):
        started = time.thread_time()
        call()
        taken.append(time.thread_time() - started)
    return 1000 * float(np.median(taken[WARM_UP:]))


def report(what: str, call: Callable[[], Any]) -> None:
    print(f"{what:56} {milliseconds(call):7.2f} ms")


def main() -> None:
    X = drawn_flights()
    spec = ModelSpec("lightgbm", "regression", INPUTS, INPUTS, "delay", "none", None, None)
    small = dict(catalogue.FAMILIES["lightgbm"].small)
    model = fitting.fit(spec, small, X, np.random.default_rng(1).normal(size=ROWS), 0)
    booster = getattr(model.estimator, "booster_", model.estimator)
    model = replace(model, estimator=booster)
    form = compiled.compile_model(model, X, model.output(X))
    asked = signature(model, statistics(X)["features"], closed=False)
    body = json.dumps(kinds.as_json(X.head(1)).to_dict("records")[0]).encode()
    rows = asked.rows(body)
    frame = compiled.typed_frame(rows, INPUTS)
    made = flights.features(frame.copy())
    made_kinds = kinds.kinds_of(kinds.typed_by_type(made))
    typed = kinds.conform(made, made_kinds)

    report(
        "a row with a date and a text, from JSON to its output",
        lambda: form.output(asked.rows(body)),
    )
    print("\na row whose columns features/flights.py makes, besides:")
    report("  its table for the function", lambda: compiled.typed_frame(rows, INPUTS))
    report("  the function itself", lambda: flights.features(frame.copy()))
    report("  typing of what it made", lambda: kinds.conform(made, made_kinds))
    report("  the row of that", lambda: compiled.as_rows(typed))


if __name__ == "__main__":
    main()
