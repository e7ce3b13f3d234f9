"""A Python that has loaded what the stages need, and runs each command in a fork of itself.

    python -m benchmarks.warm_python

Reads commands from standard input, each a line: {"command": ["train.py", ...], "output": FILE}.
Prints the number of the process that runs it and, once that has ended, its exit status. So a moment
between a command's start and its end is one of its work, not of the loading of libraries.
"""

import importlib
import json
import os
import runpy
import signal
import sys

# without evidently, which gives the figures of all others its own colours
LOADED = (
    "pipeline",  # first: it says which loops numpy shall take
    "catboost",
    "lightgbm",
    "matplotlib.figure",
    "mlflow.pyfunc",
    "mlflow.store.model_registry.sqlalchemy_store",
    "mlflow.store.tracking.sqlalchemy_store",
    "optuna",
    "pandera.pandas",
    "plotly.graph_objects",
    "shap",
    "sklearn.compose",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "skops.io",
    "sqlalchemy.orm",
    "xgboost",
)


def run(command: list[str], output: str) -> None:
    """Run a script, or a module after -m, as Python does, in a process group of its own."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (file, 1), (file, 2)):
        os.dup2(source, target)
    if command[0] == "-m":
        sys.argv = command[1:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = command
        runpy.run_path(sys.argv[0], run_name="__main__")


def main() -> None:
    for name in LOADED:
        importlib.import_module(name)
    sys.modules["sqlalchemy.orm"].configure_mappers()
    while line := sys.stdin.readline():
        wanted = json.loads(line)
        number = os.fork()
        if not number:
            run(wanted["command"], wanted["output"])
            return
        print(number, flush=True)
        _, status = os.waitpid(number, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
