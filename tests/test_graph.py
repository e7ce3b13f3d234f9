"""dvc.yaml says what the scripts do: their modules, their parameters, their outputs."""

import ast

import pytest
from ruamel.yaml import YAML

from conftest import ROOT

STAGES = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
NO_OUTPUT_DEPENDS_ON = {
    "pipeline/command.py",
    "pipeline/errors.py",  # the command line
    "pipeline/tracking.py",
    "pipeline/registry.py",
    "pipeline/promotion.py",  # the record in MLflow
    "pipeline/builtin/proposal.py",  # prints a block, is no stage
    "pipeline/monitoring.py",
    "pipeline/inference_log.py",
    "pipeline/estimation.py",  # what is served, no stage
    "pipeline/builtin/iris.py",  # a dataset's own module stands in its block, under depends_on
}


def imported(path: str, seen: set[str] | None = None) -> set[str]:
    """Return the project's modules that a file imports, at its top or in a function, and those that they import in turn.

    What is imported only by those that no output depends on is left out with them.
    """
    seen = set() if seen is None else seen
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            module = f"{name.replace('.', '/')}.py"
            if name.startswith("pipeline") and (ROOT / module).is_file() and module not in seen:
                seen.add(module)
                if module not in NO_OUTPUT_DEPENDS_ON:
                    imported(module, seen)
    return seen


def definition(stage: str) -> dict:
    return STAGES[stage].get("do", STAGES[stage])


@pytest.mark.parametrize("stage", STAGES)
def test_stage_depends_on_its_script_and_exactly_the_modules_it_imports(stage):
    script = definition(stage)["cmd"].split()[1]
    declared = {dep for dep in definition(stage)["deps"] if dep.endswith(".py")}
    used = imported(script)
    if stage in ("compare", "validate", "train", "prepare"):
        used -= {"pipeline/builtin/external.py"}
    assert declared == {script} | (used - NO_OUTPUT_DEPENDS_ON)


@pytest.mark.parametrize("stage", STAGES)
def test_every_output_stays_when_its_stage_starts(stage):
    parts = definition(stage)
    outs = [*parts.get("outs", []), *parts.get("metrics", []), *parts.get("plots", [])]
    assert outs and all(options["persist"] is True for out in outs for options in out.values())


def test_metrics_are_in_git_and_not_in_the_cache():
    for stage in STAGES:
        parts = definition(stage)
        for out in [*parts.get("outs", []), *parts.get("metrics", [])]:
            for path, options in out.items():
                assert path.startswith("metrics/") == (options.get("cache") is False), path
