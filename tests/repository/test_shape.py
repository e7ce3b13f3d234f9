"""Functions are short, and import nothing but what is slow to load.

flake8 holds their complexity (setup.cfg), mypy their annotations (mypy.ini).
"""

import ast
import configparser
from pathlib import Path

from support.imports import imported_by
from support.processes import ROOT

MOST_LINES = 40
MOST_COMPLEX = 12
FOLDERS = ("pipeline", "ops")
MODULES = [*ROOT.glob("*.py"), *(path for name in FOLDERS for path in (ROOT / name).rglob("*.py"))]
# each takes over 0.3 s to load, alone or with what is beside it, and --help answers in a second
SLOW = set(
    "catboost dask distributed dvc evidently fastapi imblearn lightgbm matplotlib mlflow optuna "
    "pandera plotly scipy shap sklearn skops starlette treelite uvicorn xgboost".split()
)
# that few calls need: a bar for terminals, the limit of threads, and completion in the shell
WITHOUT_PACKAGES = {"pipeline/command.py": {"shtab", "threadpoolctl", "tqdm"}}
# its option --tune-hyperparameters
SCRIPTS = {"train.py": {"tune_hyperparameters"}}


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return [node for node in nodes if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def test_function_has_few_lines():
    long = []
    for path in MODULES:
        for function in functions(path):
            if function.end_lineno - function.lineno >= MOST_LINES:
                long.append(f"{path.relative_to(ROOT)}: {function.name}")
    assert not long


def test_only_slow_libraries_are_imported_inside_functions():
    hidden = []
    for path in MODULES:
        name = str(path.relative_to(ROOT))
        allowed = SLOW | WITHOUT_PACKAGES.get(name, set()) | SCRIPTS.get(name, set())
        for function in functions(path):
            imported = {module.partition(".")[0] for module in imported_by(function)}
            if imported - allowed:
                hidden.append(f"{name}: {function.name} imports {imported - allowed}")
    assert not hidden


def test_flake8_refuses_a_complex_function():
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg")
    assert settings["flake8"].getint("max-complexity") <= MOST_COMPLEX
