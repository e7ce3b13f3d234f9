"""The block of `generate_data.py --new` as it is written, and how it goes into params.yaml."""

import pytest

import generate_data
from pipeline.project import params
from pipeline.project.errors import UsageError


def test_write_adds_the_block_and_changes_no_other_line(project):
    before = (project / "params.yaml").read_text()
    arguments = ["--new", "mine", "--source", "tiny.csv", "--target", "price", "--write"]
    generate_data.main(arguments)
    after = (project / "params.yaml").read_text()
    assert params.load().dataset("mine").data.target == "price"
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []
    assert after.index("  mine:") < after.index("\nmodels:")
    with pytest.raises(UsageError, match="mine"):
        generate_data.main(arguments)
    assert (project / "params.yaml").read_text() == after


def test_block_reads_like_those_of_params(project, capsys):
    generate_data.main(["--new", "flats", "--source", "tiny.csv", "--target", "price"])
    assert (
        capsys.readouterr().out
        == """\
  # the gate says better than the mean of the target; raise it once you know the data
  # numbers: size, age
  # categories: town
  # dropped, as row numbers: id
  flats:
    experiment: Flats-Regression
    data:
      source: tiny.csv
      depends_on: tiny.csv
      file: data/flats_data.csv
      task: regression
      target: price
      drop:
      - id
    prepare:
      test_size: 0.2
      split: random
    train:
      primary_metric: rmse
      cv_folds: 5
      models:
      - dummy
      - ridge
      - random_forest
      - gradient_boosting
      - xgboost
      - lightgbm
    tune: {}
    drift: {}
    gates:
      r2:
        min: 0.2
        by: low
    register:
      name: FlatsPredictor
"""
    )
