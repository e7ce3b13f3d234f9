"""What `make results` writes is what the figures say; housekeeping does what its page says."""

import json
import re
import shlex

import pytest

from ops import architecture, results_page
from pipeline.project import paths
from pipeline.report import comparison
from support.processes import ROOT, script, shell


def test_results_of_the_committed_figures_are_in_the_document():
    text = (ROOT / results_page.DOCUMENT).read_text()
    for line in results_page.tables(comparison.read(ROOT / paths.COMPARISON)):
        assert line in text, f"{line}\nis not in {results_page.DOCUMENT}: run `make results`"


def test_documents_are_written_from_a_run(pipeline_run):
    done = script("ops.documents", cwd=pipeline_run)
    assert done.returncode == 0, done.stderr
    results, plan = (
        (pipeline_run / path).read_text() for path in (results_page.DOCUMENT, architecture.DOCUMENT)
    )
    assert re.search(
        r"^\| tiny \| 200 \| \w+ \| rmse \| .* passed: test r2 [\d.]+ \(≥ 0.5\) \|$", results, re.M
    )
    assert "## Synthetic data" not in results and "## Real data" in results
    assert "train --> compare" in plan and "@tiny" not in plan


def test_synthetic_results_stand_apart_and_are_called_so(finished):
    content = json.loads((finished / paths.COMPARISON).read_text())
    content["datasets"]["tiny"]["synthetic"] = True
    lines = results_page.tables(comparison.parsed(content))
    assert lines.index("## Real data") < lines.index("## Synthetic data")
    rows = {
        line.split(" | ")[0]: number
        for number, line in enumerate(lines)
        if line.startswith(("| iris | 1", "| tiny | 2"))
    }
    assert rows["| iris"] < lines.index("## Synthetic data") < rows["| tiny"]


@pytest.mark.slow
def test_a_dataset_is_removed_as_the_page_says(pipeline_run):
    page = (ROOT / "docs/housekeeping.md").read_text()
    remove, repro = (
        re.search(r"## Remove a dataset.*?```console\n(.*?)```", page, re.S)[1]
        .replace("$ ", "")
        .splitlines()
    )
    text = (pipeline_run / "params.yaml").read_text()
    (pipeline_run / "params.yaml").write_text(
        re.sub(r"  tiny:\n(    .*\n|      .*\n| {11}.*\n)+", "", text)
    )
    assert shlex.split(remove)[:2] == ["rm", "-rf"] and shell(remove, pipeline_run).returncode == 0
    done = shell(repro, pipeline_run)
    assert done.returncode == 0, done.stdout + done.stderr
    left = {
        path.relative_to(pipeline_run).as_posix()
        for path in pipeline_run.rglob("*tiny*")
        if not {".dvc", ".git", "mlruns", "logs"} & set(path.relative_to(pipeline_run).parts)
    }
    assert left <= {"tiny.csv"}, left
    assert (
        "tiny"
        not in (pipeline_run / paths.COMPARISON).read_text()
        + (pipeline_run / paths.COMPARISON_REPORT).read_text()
    )
    assert "up to date" in shell("dvc status", pipeline_run).stdout
    gc = shell("dvc gc --workspace --all-branches --all-tags --force", pipeline_run)
    assert gc.returncode == 0 and "up to date" in shell("dvc status", pipeline_run).stdout


def test_a_deleted_run_is_dropped_as_the_page_says(pipeline_run, monkeypatch):
    import mlflow

    drop = re.search(r"^\$ (mlflow gc.*)$", (ROOT / "docs/housekeeping.md").read_text(), re.M)[1]
    monkeypatch.chdir(pipeline_run)
    client = mlflow.MlflowClient("sqlite:///mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("Iris-Classification").experiment_id])
    client.delete_run(runs[0].info.run_id)
    done = shell(drop, pipeline_run)
    assert (
        done.returncode == 0
        and f"Run with ID {runs[0].info.run_id} has been permanently deleted"
        in done.stdout + done.stderr
    )
