"""Exit statuses, errors in one line, tracebacks only on demand, and a command line that answers at
once.
"""

import errno
import os
import subprocess
import sys

import pytest

from pipeline import command
from pipeline.project.errors import DataError, UsageError
from support.processes import ROOT

SCRIPTS = sorted(path.name for path in ROOT.glob("*.py"))
HEAVY = {
    "scipy",
    "sklearn",
    "matplotlib",
    "mlflow",
    "evidently",
    "optuna",
    "lightgbm",
    "xgboost",
    "catboost",
}


def outcome(monkeypatch, capsys, main, *options):
    """Run a main as a script does; return its exit status and what it printed on standard error."""
    monkeypatch.setattr(sys, "argv", ["some/where/train.py", *options])
    with pytest.raises(SystemExit) as left:
        command.run(main)
    printed = capsys.readouterr()
    assert printed.out == ""
    return left.value.code, printed.err


def raising(error):
    def main():
        raise error

    return main


@pytest.mark.parametrize("returned, status", [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_exit_status_is_what_main_returns(returned, status, monkeypatch, capsys):
    assert outcome(monkeypatch, capsys, lambda: returned) == (status, "")


@pytest.mark.parametrize(
    "error, status, line",
    [
        (DataError("data/x.csv: no rows"), 1, "data/x.csv: no rows"),
        (UsageError("unknown dataset 'nope'"), 2, "unknown dataset 'nope'"),
        (
            DataError("not a table (line 3:\n  too many\tfields)"),
            1,
            "not a table (line 3: too many fields)",
        ),
        (
            OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "models/iris"),
            1,
            "models/iris: No space left on device; free some space and run again",
        ),
        (
            PermissionError(errno.EACCES, os.strerror(errno.EACCES), "reports/x.html"),
            1,
            "reports/x.html: Permission denied; check the permissions of the file and its folder",
        ),
        (
            FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "x.csv"),
            1,
            "x.csv: No such file or directory; check the path and run again",
        ),
        (OSError("timed out"), 1, "timed out; check the path and run again"),
        (
            KeyboardInterrupt(),
            130,
            "stopped; what was there before stays, the same command starts anew",
        ),
        (
            ZeroDivisionError("division by zero"),
            1,
            "unexpected ZeroDivisionError: division by zero; --debug shows where",
        ),
    ],
)
def test_error_is_one_line_and_a_status(error, status, line, monkeypatch, capsys):
    assert outcome(monkeypatch, capsys, raising(error)) == (status, f"train.py: error: {line}\n")
    debugged, told = outcome(monkeypatch, capsys, raising(error), "--debug")
    assert debugged == status
    assert (
        told.startswith("Traceback (most recent call last)") and "in main\n    raise error" in told
    )
    assert told.endswith(f"train.py: error: {line}\n")


@pytest.mark.parametrize(
    "error, printed",
    [
        ("KeyboardInterrupt", "train.py: stopped before it began"),
        ("ValueError('odd')", "ValueError: odd"),
    ],
)
def test_ctrl_c_while_libraries_are_loaded_is_told_in_one_line(error, printed):
    code = "import sys; sys.argv = ['train.py']; from pipeline import command; raise "
    done = subprocess.run(
        [sys.executable, "-c", code + error], cwd=ROOT, capture_output=True, text=True
    )
    lines = done.stderr.splitlines()
    assert done.returncode != 0 and lines[-1] == printed
    assert (len(lines) == 1) == (error == "KeyboardInterrupt")


def test_wrong_option_leaves_with_status_2(monkeypatch, capsys):
    parser = command.parser("What it does.")
    status, told = outcome(monkeypatch, capsys, lambda: parser.parse_args(["--nope"]))
    assert status == 2 and "unrecognized arguments: --nope" in told


def test_fits_take_one_thread_each(monkeypatch, capsys):
    for variable in command.ONE_THREAD:
        monkeypatch.setenv(variable, "8")
    outcome(monkeypatch, capsys, lambda: None)
    assert [os.environ[variable] for variable in command.ONE_THREAD] == ["1", "1", "1"]


def test_fits_take_one_thread_each_where_numpy_is_loaded_already():
    code = (
        "import numpy, threadpoolctl\n"
        "from pipeline import command\n"
        "command.limit_threads()\n"
        "import scipy.linalg\n"
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
    )
    environment = {name: value for name, value in os.environ.items() if "_THREADS" not in name}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=environment
    )
    assert done.stdout == "{1}\n", done.stderr


def test_dataset_is_all_of_them_unless_one_is_named():
    parser = command.parser("What it does.")
    command.add_dataset(parser)
    assert (parser.parse_args([]).dataset, parser.parse_args(["--dataset", "iris"]).dataset) == (
        "all",
        "iris",
    )


RUN = """
import atexit, runpy, sys
atexit.register(lambda: print("imported:", *sorted({heavy} & set(sys.modules)), file=sys.stderr))
sys.argv = {argv}
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def run_and_tell_imports(project, script, *options):
    """Run a script in a project; return the process and the heavy packages that it imported."""
    code = RUN.format(heavy=HEAVY, argv=[str(ROOT / script), *options])
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=project,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    *lines, last = done.stderr.splitlines()
    assert last.startswith("imported:"), done.stderr
    return done.returncode, done.stdout, lines, last.split()[1:]


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_is_the_scripts_docstring_and_comes_without_heavy_imports(script, project):
    status, shown, errors, imported = run_and_tell_imports(project, script, "--help")
    first = (ROOT / script).read_text(encoding="utf-8").split("\n")[0].removeprefix('"""')
    assert status == 0 and first in shown and "--debug" in shown
    assert (errors, imported) == ([], [])


def test_usage_error_comes_without_heavy_imports(project):
    status, _, errors, imported = run_and_tell_imports(project, "train.py", "--dataset", "nope")
    assert (status, errors) == (
        2,
        ["train.py: error: unknown dataset 'nope'; params.yaml has: iris, tiny"],
    )
    assert imported == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_option_may_be_cut_short(name):
    """`--data` would be taken for --dataset until the day when another option begins with it."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "command.parser(" in text and "ArgumentParser(" not in text


def test_option_that_is_cut_short_is_refused(capsys):
    parser = command.parser("")
    command.add_dataset(parser)
    with pytest.raises(SystemExit, match="2"):
        parser.parse_args(["--data", "iris"])
    assert "unrecognized arguments: --data iris" in capsys.readouterr().err
