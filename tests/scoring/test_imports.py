"""Scoring loads no library of estimators until it is asked for a score."""

import subprocess
import sys

from support.processes import ROOT

HEAVY = ("sklearn", "scipy", "xgboost", "lightgbm", "catboost")
IMPORT_ALL = f"""
import importlib, pathlib, sys
for path in pathlib.Path("pipeline/scoring").glob("*.py"):
    importlib.import_module(f"pipeline.scoring.{{path.stem}}")
print(*[name for name in {HEAVY} if name in sys.modules])
"""


def test_scoring_loads_no_library_of_estimators():
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "\n"
