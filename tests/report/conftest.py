"""A comparison with every kind of section, and its page as a file."""

import copy
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pipeline.project import paths
from pipeline.report import advice, charts, comparison, page, pictures
from pipeline.report.comparison import DatasetResult
from pipeline.report.history import PastResult
from pipeline.training.predictions import Predicted
from support.results import dataset_result


@dataclass(frozen=True)
class ComparedJson:
    """The content of the comparison's and the pictures' JSON files."""

    comparison: dict[str, Any]
    drawn: dict[str, Any]

    def copy(self) -> "ComparedJson":
        return copy.deepcopy(self)

    def result(self, dataset: str) -> DatasetResult:
        return comparison.parsed(self.comparison).datasets[dataset]

    def html(self, past: dict[str, list[PastResult]] | None = None) -> str:
        drawn = pictures.parsed(self.drawn)
        return page.render(comparison.parsed(self.comparison), drawn, past or {})


@pytest.fixture
def advised():
    """Return the advice on a dataset's part of the JSON file, as it is written there."""
    return _advised


def _advised(result: dict[str, Any]) -> list[dict[str, str]]:
    pieces = advice.advise("two_classes", dataset_result(result), None)
    return [{"level": one.level, "what": one.what, "do": one.do} for one in pieces]


def slice_(where: str, value: float, low: float, high: float, worse: bool) -> dict[str, Any]:
    return {
        "where": where,
        "origin": "params.yaml",
        "train_rows": 80,
        "error_ratio": 1.5,
        "test": {"rows": 40, "value": value, "low": low, "high": high, "worse": worse},
    }


def binary(result: dict[str, Any]) -> dict[str, Any]:
    """Return a dataset's part made one of two classes: every kind of section is on the page."""
    result = copy.deepcopy(result)
    gate = {"metric": "f1", "on": "test", "value": 0.1, "min": 0.5, "max": None, "passed": False}
    slices = [
        slice_("town = Aville", 0.6, 0.5, 0.7, worse=True),
        slice_("town = Bford", 1.0, 1.0, 1.0, worse=False),
    ]
    result |= {"verdict": "stop", "slices": slices, "gates": [gate]}
    result["advice"] = _advised(result)
    return result


def binary_curves() -> dict[str, Any]:
    """Return the pictures of two classes as their JSON file holds them."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 400)
    scores = np.clip(0.3 + 0.4 * y + rng.normal(0, 0.2, 400), 0, 1)
    output = np.column_stack([1 - scores, scores])
    part = Predicted(pd.RangeIndex(400), y, None, {"one": output, "two": output})
    curves = charts.class_curves(["one", "two"], part, part, ["no", "yes"])
    return pictures.as_json(
        pictures.Pictures(
            roc=curves.roc,
            precision_recall=curves.precision_recall,
            calibration=curves.calibration,
        )
    )


@pytest.fixture(scope="module")
def compared(finished) -> ComparedJson:
    """The comparison of the finished project with a third dataset, of two classes."""
    whole = json.loads((finished / paths.COMPARISON).read_text())
    drawn = json.loads((finished / paths.PICTURES).read_text())
    whole["datasets"]["two_classes"] = binary(whole["datasets"]["iris"])
    drawn["two_classes"] = binary_curves()
    return ComparedJson(whole, drawn)


@pytest.fixture
def beside(finished, monkeypatch) -> Path:
    """The finished project, with its drift and times, as the working directory."""
    monkeypatch.chdir(finished)
    return finished


@pytest.fixture
def page_file(compared, beside, tmp_path):
    """Write the page of a comparison and return where it lies."""

    def write(content: ComparedJson = compared) -> Path:
        path = tmp_path / "page.html"
        path.write_text(content.html(), encoding="utf-8")
        return path

    return write
