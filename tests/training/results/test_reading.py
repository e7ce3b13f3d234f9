"""Results of train and tune: read together where they can be compared, refused where not."""

import pytest

from pipeline.project import files, paths
from pipeline.project.errors import DataError
from pipeline.training.results.content import classes_of
from pipeline.training.results.ranking import ranked
from pipeline.training.results.reading import read_candidates, read_stage, read_tune

TRAINED = {"split_hash": "rows", "seed": 42, "primary_metric": "rmse", "cv_folds": 3}


def candidate(stage: str, model_type: str, rmse: float | None) -> dict:
    scores = {"mean": rmse, "std": 0.1}
    return {"stage": stage, "params": {"model_type": model_type}, "cv": {"rmse": scores}}


@pytest.fixture
def trained(project):
    """Results of train with two candidates that are equally good."""
    files.write_json(paths.metrics("tiny", "quality"), {"split_hash": "rows"})
    candidates = {"xgboost": candidate("train", "xgboost", 2.0)}
    candidates["ridge"] = candidate("train", "ridge", 2.0)
    files.write_json(paths.metrics("tiny", "train"), TRAINED | {"candidates": candidates})


def write_tuned(**changed) -> None:
    candidates = {"tuned_ridge": candidate("tune", "ridge", 1.5)}
    files.write_json(paths.metrics("tiny", "tune"), TRAINED | {"candidates": candidates} | changed)


def test_candidates_of_train_stand_alone_until_tune_has_run_and_a_tie_goes_to_the_simpler(trained):
    assert read_tune("tiny") is None and read_stage("tiny", "tune") is None
    found = read_candidates("tiny")
    assert list(found.by_name) == ["xgboost", "ridge"] and found.best() == "ridge"


def test_candidates_of_both_stages_are_compared(trained):
    write_tuned()
    found = read_candidates("tiny")
    assert found.best() == "tuned_ridge" and set(found.trained["candidates"]) == {
        "xgboost",
        "ridge",
    }
    assert ranked(found.by_name, "rmse") == ["tuned_ridge", "ridge", "xgboost"]


@pytest.mark.parametrize(
    "changed", [{"split_hash": "other"}, {"seed": 1}, {"primary_metric": "mae"}, {"cv_folds": 5}]
)
def test_tuned_candidates_of_other_data_or_settings_are_refused(trained, changed):
    write_tuned(**changed)
    with pytest.raises(DataError, match="tune.json: .* other data or settings than train's"):
        read_candidates("tiny")


def test_trained_candidates_of_other_rows_than_the_prepared_ones_are_refused(trained):
    files.write_json(paths.metrics("tiny", "quality"), {"split_hash": "new rows"})
    with pytest.raises(DataError, match="train.json: .* of other data than data/processed/tiny"):
        read_candidates("tiny")


def test_classes_are_those_of_the_confusion_matrix_and_regression_has_none():
    matrix = {"labels": ["no", "yes"], "counts": [[1, 0], [0, 1]]}
    classifier = candidate("train", "dummy", None) | {"confusion_matrix": matrix}
    assert classes_of(classifier) == ["no", "yes"]
    assert classes_of(candidate("train", "dummy", None)) is None
