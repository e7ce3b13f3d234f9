"""dvc.yaml says what the scripts do: their rooms, their parameters, their outputs."""

import pytest
from ruamel.yaml import YAML

from support.imports import rooms_behind
from support.processes import ROOT

STAGES = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]
# the record in MLflow and the registry, and what serves a model and watches it
NO_OUTPUT_DEPENDS_ON = frozenset({"tracking", "registry", "serving", "monitoring"})
# a dataset's own table is named in its block of params.yaml, under depends_on
NAMED_BY_THE_DATASET = {"builtin"}


def definition(stage: str) -> dict:
    return STAGES[stage].get("do", STAGES[stage])


@pytest.mark.parametrize("stage", STAGES)
def test_stage_depends_on_its_script_and_exactly_the_rooms_it_imports(stage):
    script = definition(stage)["cmd"].split()[1]
    code = {dep for dep in definition(stage)["deps"] if dep.startswith("pipeline/")}
    rooms = rooms_behind(ROOT / script, NO_OUTPUT_DEPENDS_ON)
    rooms -= NO_OUTPUT_DEPENDS_ON | NAMED_BY_THE_DATASET
    assert code == {f"pipeline/{room}" for room in rooms}
    assert script in definition(stage)["deps"]


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
