"""A change of the user's code runs again what depends on it, and nothing else."""

import re
from pathlib import Path

import pytest

from support import own_code
from support.processes import shell
from support.projects import HOUSING, copy_project

GAIN = """
import numpy as np


def gain(actual, predicted):
    return float(np.mean(np.abs(actual - predicted) < 20))
"""
METRIC = "metrics: {gain: {function: 'features/gain.py:gain', greater_is_better: true}}"


def ran(folder: Path) -> list[str]:
    """Bring both datasets' models up to date; return which stages ran for that."""
    done = shell("python -m ops.repro train@tiny train@housing", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(re.findall(r"^\[\d+/\d+\] +[\d.]+ s +(\w+ \w+):", done.stdout, re.M))


@pytest.mark.slow
def test_a_change_of_own_code_reruns_the_stages_of_the_datasets_that_use_it(tmp_path):
    params = own_code.PARAMS.replace("[dummy, nearest, svr]", f"[nearest], {METRIC}")
    housing = HOUSING.replace("tune: {}", "tune: {models: [svr]}")
    params = params.replace("datasets:\n", f"datasets:\n{housing}")
    folder = copy_project(tmp_path / "project", params)
    (folder / "features/tiny.py").write_text(own_code.CODE)
    (folder / "features/gain.py").write_text(GAIN)
    of_both = ["prepare housing", "prepare tiny"]
    assert ran(folder) == [
        "generate housing",
        "generate tiny",
        *of_both,
        "train housing",
        "train tiny",
    ]
    assert ran(folder) == []
    # a feature and a metric; prepare looks at the whole folder, and the hashes that it
    # writes say whose models are of other code now
    for name, old, new in (
        ("tiny.py", '"age"] // 10', '"age"] // 20'),
        ("gain.py", "< 20", "< 30"),
    ):
        file = folder / "features" / name
        file.write_text(file.read_text().replace(old, new))
        assert ran(folder) == [*of_both, "train tiny"], (name, new)
    (folder / "features/other.py").write_text("# of no dataset\n")
    assert ran(folder) == of_both
