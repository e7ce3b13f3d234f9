"""Every package that the requirements pin is installed in that version and can be imported."""

import importlib
import importlib.metadata
import re

import pytest
from packaging.requirements import Requirement
from ruamel.yaml import YAML
from ruamel.yaml.main import CParser

from support.processes import ROOT

MODULES = {
    "scikit-learn": "sklearn",
    "imbalanced-learn": "imblearn",
    "xgboost-cpu": "xgboost",
    "ruamel.yaml": "ruamel.yaml",
    "pandera": "pandera.pandas",
    "skops": "skops.io",
    "pytest-xdist": "xdist",
    "psycopg2-binary": "psycopg2",
    "mkdocs-material": "material",
}
PROGRAMS = {"zizmor"}  # no module of theirs is imported
LINES = [
    line.split("#")[0].strip()
    for name in ("requirements.txt", "requirements-dev.txt")
    for line in (ROOT / name).read_text().splitlines()
]
PINS = [Requirement(line) for line in LINES if re.match(r"[a-z]", line)]
HERE = [pin for pin in PINS if pin.marker is None or pin.marker.evaluate()]


@pytest.mark.parametrize("pin", HERE, ids=lambda pin: pin.name)
def test_package_is_installed_as_pinned_and_imports(pin):
    assert pin.specifier.contains(importlib.metadata.version(pin.name))
    if pin.name not in PROGRAMS:
        importlib.import_module(MODULES.get(pin.name, pin.name.replace("-", "_")))


def test_yaml_is_parsed_in_c_as_each_stage_of_dvc_parses_params_yaml():
    assert YAML(typ="safe").Parser is CParser is not None


def test_every_package_has_one_exact_pin():
    assert all([part.operator for part in pin.specifier] == ["=="] for pin in PINS)


def test_constraints_hold_the_same_pins():
    constraints = {
        Requirement(line).name: line for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    for pin in PINS:
        name = pin.name.replace(".", "-")
        assert constraints[name].split(";")[0].strip() == f"{name}{pin.specifier}"
