"""What tune_hyperparameters.py refuses: settings, options, and results of other data."""

import json
import re

import pytest

import tune_hyperparameters
from pipeline.project import files, params, paths
from pipeline.project.errors import DataError, UsageError
from support.processes import script
from support.tuning import (
    LEAVES,
    TUNE_TINY,
    settings_with,
)


@pytest.mark.parametrize(
    "old, new, message",
    [
        (
            LEAVES,
            "num_leaves: {low: 30, high: 15}",
            "search_spaces.lightgbm.num_leaves: low 30 is above high 15",
        ),
        (
            "alpha: {low: 0.01, high: 100.0, log: true}",
            "alpha: {low: 0, high: 100.0, log: true}",
            "search_spaces.ridge.alpha: log: true needs a low above 0, and low is 0",
        ),
        (
            LEAVES,
            "num_leaves: {low: 3}",
            "search_spaces.lightgbm.num_leaves: needs low and high, or choices",
        ),
        (LEAVES, "num_leaves: {low: 3, high: 9, choices: [3]}", "choices stand alone"),
        (
            TUNE_TINY,
            "tune: {models: [dummy]}",
            "search_spaces.dummy: is not there, and datasets.tiny.tune.models names it",
        ),
        (TUNE_TINY, "tune: {trials: 0}", "datasets.tiny.tune.trials"),
        (TUNE_TINY, "tune: {pruner: fast}", "datasets.tiny.tune.pruner"),
        (
            TUNE_TINY,
            "tune: {objectives: [size]}",
            "datasets.tiny.tune.objectives: must be [metric] or [metric, size]",
        ),
        (TUNE_TINY, "tune: {target_transforms: [sqrt]}", "datasets.tiny.tune.target_transforms"),
    ],
)
def test_wrong_setting_is_refused_by_name(project, old, new, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        settings_with(project, *([new] if old == TUNE_TINY else [TUNE_TINY, {old: new}]))


@pytest.mark.parametrize(
    "old, new, place",
    [
        (LEAVES, "leaves: {low: 3, high: 15}", "search_spaces.lightgbm"),
        ("{num_leaves: 7}", "{leaves: 7}", "portfolio.lightgbm"),
    ],
)
def test_unknown_hyperparameter_is_refused_by_name(trained, old, new, place):
    settings = settings_with(trained, replaced={old: new})
    with pytest.raises(UsageError, match=f"{place}: lightgbm has no hyperparameter 'leaves'"):
        tune_hyperparameters.tune("tiny", settings)
    assert not (trained / "studies").exists()


@pytest.mark.parametrize(
    "options, message",
    [
        (["--trials", "0"], "--trials 0: give 1 or more"),
        (["--seconds", "0"], "--seconds 0: give 1 or more"),
        (["--workers", "0"], "--workers 0: give 1 or more"),
        (["--dataset", "nope"], "unknown dataset 'nope'"),
        (["--model", "dummy"], "--model dummy: params.yaml has search_spaces of"),
        (["--objectives", "size"], "--objectives size: give one of metric, metric,size"),
    ],
)
def test_wrong_option_is_refused(trained, options, message):
    done = script("tune_hyperparameters", *options)
    assert done.returncode == 2 and message in done.stderr and len(done.stderr.splitlines()) == 1


def test_figures_of_other_data_are_refused(trained):
    path = paths.metrics("tiny", "train")
    figures = json.loads(path.read_text())
    files.write_json(path, {**figures, "split_hash": "of other data"})
    with pytest.raises(DataError, match="other data or settings"):
        tune_hyperparameters.tune("tiny", params.load())
