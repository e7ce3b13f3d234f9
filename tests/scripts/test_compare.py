"""The comparison: its form, its changes over revisions and runs, its files for dvc plots."""

import csv
import json
import shutil

import jsonschema
import pytest

from pipeline.project import params, paths
from pipeline.report import history
from pipeline.tracking import comparisons
from support.processes import ROOT, script, shell

SCHEMA = json.loads((ROOT / "docs/schema/comparison_results.schema.json").read_text())


@pytest.fixture
def comparison(finished):
    return json.loads((finished / paths.COMPARISON).read_text())


def test_comparison_has_the_documented_form(comparison):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.validate(comparison, SCHEMA)
    del comparison["datasets"]["iris"]["candidates"]["dummy"]["cv"]
    with pytest.raises(jsonschema.ValidationError, match="'cv' is a required property"):
        jsonschema.validate(comparison, SCHEMA)


def test_best_candidate_is_explained_and_the_gates_are_looked_at(comparison):
    for name, result in comparison["datasets"].items():
        assert result["gates"] and all(gate["passed"] for gate in result["gates"])
        assert set(result["explanation"]["importance"]) == set(
            result["explanation"]["shap"]["columns"]
        )
        assert all(
            "importance" not in candidate and "shap" not in candidate
            for candidate in result["candidates"].values()
        )
    size = comparison["datasets"]["tiny"]["explanation"]["shap"]
    assert (
        size["unit"] == "price"
        and next(iter(size["columns"])) == "size"
        and size["columns"]["size"]["direction"] > 0.9
    )
    assert (
        size["columns"]["age"]["direction"] < -0.9 and size["columns"]["town"]["direction"] is None
    )


def test_plots_hold_the_scores_the_curves_and_what_was_predicted(finished, comparison):
    for dataset, result in comparison["datasets"].items():
        scores, curves, outcomes = (
            list(csv.DictReader((finished / paths.PLOTS / kind / f"{dataset}.csv").open()))
            for kind in ("scores", "curves", "outcomes")
        )
        assert [row["candidate"] for row in scores] == list(result["candidates"])
        kinds = {"iris": {"roc", "precision_recall", "calibration"}, "tiny": {"tolerance"}}
        assert {row["kind"] for row in curves} == kinds[dataset]
        assert sum(int(row["rows"]) for row in outcomes) == result["rows"]["test"]


def test_one_dataset_is_compared_and_shown_alone_and_the_others_stay(pipeline_run):
    before = (pipeline_run / paths.COMPARISON).read_text()
    for folder in ("data/predictions/tiny", "data/processed/tiny", "metrics/datasets/tiny"):
        shutil.rmtree(pipeline_run / folder)
    done = script("compare_results", "--dataset", "iris", cwd=pipeline_run)
    assert done.returncode == 0 and "tiny" not in done.stdout, done.stderr
    assert (pipeline_run / paths.COMPARISON).read_text() == before
    assert sorted(path.name for path in (pipeline_run / paths.BEST).iterdir()) == [
        "iris.json",
        "tiny.json",
    ]
    shown = script("compare_results", "--show", "--dataset", "iris", cwd=pipeline_run).stdout
    assert "iris" in shown and "tiny" not in shown
    assert "of iris already" in script("ops.sync", "--dataset", "iris", cwd=pipeline_run).stdout


@pytest.mark.parametrize("name", ["compare_results", "ops.repro", "ops.sync"])
def test_unknown_dataset_is_told_with_the_known_ones(project, name):
    done = script(name, "--dataset", "irs", cwd=project)
    assert done.returncode == 2
    assert "unknown dataset 'irs'; params.yaml has: iris, tiny" in done.stderr


def test_comparison_asked_for_in_another_folder_says_where_to_run(tmp_path):
    done = script("compare_results", "--show", cwd=tmp_path)
    assert done.returncode == 2 and "run from the project's root" in done.stderr


def test_dvc_plots_show_draws_offline(browser, pipeline_run):
    done = shell("dvc plots show", pipeline_run)
    assert done.returncode == 0, done.stderr
    page = pipeline_run / "dvc_plots/index.html"
    assert "jsdelivr" not in page.read_text()
    assert browser.open(page, "document.querySelectorAll('canvas.marks').length >= 6") == []


def test_against_a_revision_tells_what_changed_and_whether_it_is_more_than_chance(
    pipeline_run, monkeypatch
):
    monkeypatch.chdir(pipeline_run)
    shell("git add -A && git commit -qm first", pipeline_run)
    assert history.against("HEAD") == ["Best models against HEAD: no figure changed."]
    path = pipeline_run / paths.best("tiny")
    figures = json.loads(path.read_text())
    comparison = json.loads((pipeline_run / paths.COMPARISON).read_text())
    best = figures["candidate"]
    candidate = comparison["datasets"]["tiny"]["candidates"][best]
    for gain, verdict in (
        (0.1, "within the deviation of the folds"),
        (3, "better"),
        (-3, "**worse**"),
    ):
        new = figures["cv"] - gain * figures["cv_std"]
        path.write_text(json.dumps({**figures, "cv": new}))
        candidate["cv"]["rmse"]["mean"] = new
        (pipeline_run / paths.COMPARISON).write_text(json.dumps(comparison))
        told = history.against("HEAD")
        assert len(told) == 5 and told[-1].startswith(f"| tiny | {best} | {best} | rmse |")
        assert told[-1].endswith(f"| {verdict} |")
    path.write_text(json.dumps({**figures, "candidate": "lasso"}))
    shell("git commit -qam second", pipeline_run)
    path.write_text(json.dumps(figures))
    assert history.against("HEAD")[-1].startswith(f"| tiny | lasso | {best} | rmse |")
    done = script("compare_results", "--against", "nowhere", cwd=pipeline_run)
    assert (
        done.returncode == 2 and "--against nowhere: unknown Git revision 'nowhere'" in done.stderr
    )


def test_history_tells_what_past_comparisons_chose(pipeline_run, monkeypatch):
    monkeypatch.chdir(pipeline_run)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{pipeline_run / 'history.db'}")
    assert script("ops.sync", cwd=pipeline_run).returncode == 0
    figures = json.loads(paths.best("tiny").read_text())
    paths.best("tiny").write_text(json.dumps({**figures, "cv": figures["cv"] / 2}))
    assert script("ops.sync", cwd=pipeline_run).returncode == 0
    lines = history.past(comparisons.recorded_comparisons(params.load()), "the store")
    start = lines.index("### tiny")
    rows = [line for line in lines[start:] if line.startswith("| 20")]
    assert len(rows) == 2 and rows[0].endswith("| better |") and rows[1].endswith("| first |")
    assert len([line for line in lines[:start] if line.startswith("| 20")]) == 1


def test_show_prints_the_comparison_and_writes_its_page_anew(pipeline_run):
    (pipeline_run / paths.COMPARISON_REPORT).unlink()
    done = script("compare_results", "--show", cwd=pipeline_run)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].startswith(
        "report: reports/comparison_report.html"
    )
    assert "ridge" in (pipeline_run / paths.COMPARISON_REPORT).read_text()
    (pipeline_run / paths.PICTURES).unlink()  # as in a clone without `dvc pull`
    done = script("compare_results", "--show", cwd=pipeline_run)
    assert done.returncode == 0 and "report:" not in done.stdout


def test_a_clone_compares_what_it_has_the_figures_of(pipeline_run, comparison):
    for folder in ("data/processed/iris", "data/predictions/iris"):
        shutil.rmtree(pipeline_run / folder)
    done = script("compare_results", cwd=pipeline_run)
    assert done.returncode == 0, done.stderr
    assert json.loads((pipeline_run / paths.COMPARISON).read_text()) == comparison
    assert sorted(json.loads((pipeline_run / paths.PICTURES).read_text())["iris"]) == ["course"]
    (pipeline_run / paths.COMPARISON).unlink()
    assert script("compare_results", cwd=pipeline_run).returncode == 0
    assert (
        json.loads((pipeline_run / paths.COMPARISON).read_text())["datasets"]["iris"]["slices"]
        == []
    )


def test_a_slice_of_a_column_that_is_no_feature_is_refused(pipeline_run):
    text = (pipeline_run / "params.yaml").read_text()
    (pipeline_run / "params.yaml").write_text(
        text.replace("    gates: {r2", "    slices: {columns: [id]}\n    gates: {r2")
    )
    done = script("compare_results", cwd=pipeline_run)
    assert done.returncode == 2
    assert (
        "params.yaml: datasets.tiny.slices.columns: no feature 'id' in the table; "
        "there are: 'size', 'town', 'age'" in done.stderr
    )
