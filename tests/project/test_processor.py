"""Every entry point has numpy and OpenBLAS take the same loops on each x86-64-v3 processor."""

import ast
import os
import subprocess
import sys
from pathlib import Path

from pipeline.project.processor import SAME_LOOPS, X86_64_V3, instructions, use_same_loops

import pytest

from pipeline.project import processor
from support.imports import imported_by
from support.processes import ROOT
from support.projects import content

ENTRY_POINTS = sorted([*ROOT.glob("*.py"), *(ROOT / "ops").glob("*.py")])
LOAD_NUMPY = {"numpy", "pandas", "pyarrow", "scipy", "joblib", "sklearn", "matplotlib", "mlflow"}
# what a processor with AVX-512 would choose by itself, or an old one: both give other last digits
OF_OTHERS = {"OPENBLAS_CORETYPE": "Prescott", "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4"}
SHOW_LOOPS = """
import runpy, sys
sys.argv = ["predict.py", "--help"]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit:
    pass
import numpy, scipy.linalg, threadpoolctl
from numpy._core._multiarray_umath import __cpu_features__ as features
kernels = [library["architecture"] for library in threadpoolctl.threadpool_info()
           if library["internal_api"] == "openblas"]
print("LOOPS", features["X86_V3"], features["X86_V4"], *kernels)
"""

on_x86_64_v3 = pytest.mark.skipif(
    not instructions() >= X86_64_V3, reason="this processor lacks instructions of x86-64-v3"
)


def cpuinfo(folder: Path, flags: str) -> Path:
    path = folder / "cpuinfo"
    path.write_text(f"processor\t: 0\n{flags}\n\nprocessor\t: 1\nflags\t\t: other\n")
    return path


@pytest.fixture
def environment(monkeypatch):
    """The environment of a machine with a choice of its own, put back after the test."""
    for variable in SAME_LOOPS:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in OF_OTHERS.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr(processor.platform, "machine", lambda: "x86_64")
    return os.environ


def test_loops_of_x86_64_v3_replace_what_the_environment_says(tmp_path, environment):
    assert use_same_loops(cpuinfo(tmp_path, f"flags\t\t: sse {' '.join(X86_64_V3)}"))
    assert {name: environment[name] for name in SAME_LOOPS} == SAME_LOOPS
    assert "NPY_DISABLE_CPU_FEATURES" not in environment


@pytest.mark.parametrize(
    "flags",
    [
        f"flags\t\t: {' '.join(sorted(X86_64_V3 - {'avx2'}))}",
        f"flags\t\t: {' '.join(sorted(X86_64_V3 - {'fma'}))}",
        "",
    ],
)
def test_a_processor_without_the_instructions_is_left_alone(tmp_path, environment, flags):
    assert not use_same_loops(cpuinfo(tmp_path, flags))
    assert not use_same_loops(tmp_path / "none")
    assert environment["OPENBLAS_CORETYPE"] == "Prescott"


def test_another_architecture_is_left_alone(tmp_path, environment, monkeypatch):
    monkeypatch.setattr(processor.platform, "machine", lambda: "aarch64")
    assert not use_same_loops(cpuinfo(tmp_path, f"flags\t\t: {' '.join(X86_64_V3)}"))
    assert environment["OPENBLAS_CORETYPE"] == "Prescott"


@pytest.mark.parametrize("path", ENTRY_POINTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_loads_numpy_before_the_package_is_imported(path):
    """Own modules that come first are cases of this test themselves."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        packages = {name.partition(".")[0] for name in imported_by(node)}
        if "pipeline" in packages:
            return
        assert not packages & LOAD_NUMPY, f"line {node.lineno}"


@on_x86_64_v3
def test_a_script_loads_the_same_loops_whatever_the_environment():
    done = subprocess.run(
        [sys.executable, "-c", SHOW_LOOPS],
        cwd=ROOT,
        env={**os.environ, **OF_OTHERS},
        capture_output=True,
        text=True,
    )
    assert done.stdout.splitlines()[-1] == "LOOPS True False Haswell Haswell", done.stderr


@on_x86_64_v3
@pytest.mark.slow
def test_training_gives_the_same_bytes_whatever_the_environment(finished, project):
    for name in ("generate_data", "prepare_data", "train"):
        done = subprocess.run(
            [sys.executable, ROOT / f"{name}.py", "--dataset", "tiny"],
            env={**os.environ, **OF_OTHERS},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    for folder in ("data/processed/tiny", "data/predictions/tiny/train", "models/tiny/train"):
        assert content(project / folder) == content(finished / folder)
