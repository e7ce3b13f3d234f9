"""ops.pull_request_report: what a pull request changes, from the files of two commits."""

import json
import re

import pytest

from ops import pull_request_report as reports
from support.processes import script, shell


def edit(folder, name: str, function) -> None:
    """Change a JSON file in place."""
    content = json.loads((folder / name).read_text())
    function(content)
    (folder / name).write_text(json.dumps(content))


@pytest.fixture
def two_commits(pipeline_run):
    """A finished project, its results committed, and others in place: tiny better, iris worse."""
    assert shell("git add -A && git commit -qm first && git tag base", pipeline_run).returncode == 0

    def other_results(comparison):
        tiny, iris = (comparison["datasets"][name] for name in ("tiny", "iris"))
        best = tiny["candidates"][tiny["best"]["name"]]
        best["cv"]["rmse"]["mean"] = 10.0
        best["test"]["rmse"]["value"] += 0.01
        tiny["candidates"]["added"] = tiny["candidates"]["dummy"]
        del tiny["candidates"]["decision_tree"]
        tiny["data_hash"] = "0123"
        iris["candidates"][iris["best"]["name"]]["cv"]["log_loss"]["mean"] = 0.2

    edit(pipeline_run, "metrics/comparison_results.json", other_results)
    edit(
        pipeline_run,
        "metrics/validation/tiny.json",
        lambda verdict: verdict["gates"][0].update(passed=False, value=0.4),
    )
    edit(
        pipeline_run,
        "metrics/datasets/tiny/drift.json",
        lambda drift: drift.update(verdict="drift", drifted=["a|b"]),
    )
    text = (pipeline_run / "params.yaml").read_text()
    (pipeline_run / "params.yaml").write_text(
        text.replace("ridge: {alpha: 1.0}", "ridge: {alpha: 7.5}")
    )
    return pipeline_run


def rows(report: str, title: str) -> list[list[str]]:
    """Return the cells of a section's table."""
    section = report.split(f"### {title}\n")[1].split("###")[0]
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in section.splitlines()
        if line.startswith("|")
    ][2:]


def test_report_tells_what_changed_and_in_which_direction(two_commits):
    done = script(
        "ops.pull_request_report",
        "--base",
        "base",
        "--link",
        "run=https://ci.example.org/1",
        cwd=two_commits,
    )
    assert done.returncode == 0, done.stderr
    text = done.stdout
    assert text.startswith(reports.MARK) and "[run](https://ci.example.org/1)" in text
    assert "**2 datasets: 1 better, 1 worse; 1 of 2 gates pass; 1 setting changed.**" in text
    best = {row[0]: row for row in rows(text, "Best models")}
    assert re.fullmatch(r"13\.\d+ → 10 ▼ better by \d\d %", best["tiny"][3])
    assert "▲ worse by" in best["tiny"][4] and "within its interval" in best["tiny"][4]
    assert re.fullmatch(r"0\.1\d+ → 0\.2 ▲ worse by \d\d %", best["iris"][3])
    assert rows(text, "Gates")[0][:2] == ["❌ fail", "tiny"] and rows(text, "Gates")[0][4].endswith(
        "✅ pass"
    )
    assert rows(text, "Drift of the test split")[1] == ["tiny", "drift", r"a\|b", "no drift"]
    assert rows(text, "Settings") == [["models.ridge.alpha", "1.0", "7.5"]]
    assert [row[:2] + [row[3]] for row in rows(text, "Data")] == [["tiny", "md5", "0123"]]
    told = {row[1]: row[3] for row in rows(text, "Other candidates, cross-validation")}
    assert sorted(told) == ["added", "decision_tree"]
    assert told["added"].endswith(", new") and told["decision_tree"].endswith(", removed")


def test_nothing_changed(pipeline_run):
    shell("git add -A && git commit -qm first", pipeline_run)
    text = script("ops.pull_request_report", "--base", "HEAD", cwd=pipeline_run).stdout
    assert "**2 datasets: 2 unchanged; 2 of 2 gates pass; no settings changed.**" in text
    assert "→" not in text and "### Settings" not in text


def test_base_without_results_makes_everything_new(finished):
    text = script("ops.pull_request_report", "--base", "HEAD", cwd=finished).stdout
    assert "2 datasets: 2 new" in text and rows(text, "Gates")[0][4] == "no such gate"


def test_long_report_is_cut_between_lines_and_says_so():
    lines = [f"| {number} | {'ü' * 50} |" for number in range(2000)]
    text = reports.cut(lines)
    assert len(text) <= reports.LIMIT
    *kept, blank, told = text.splitlines()
    assert kept == lines[: len(kept)] and blank == ""
    assert told.startswith(f"{2000 - len(kept)} more lines are left out")
    assert reports.cut(lines[:10]) == "\n".join(lines[:10]) + "\n"


def test_unknown_base_and_missing_results_are_told(pipeline_run, project):
    unknown = script("ops.pull_request_report", "--base", "nope", cwd=pipeline_run)
    assert unknown.returncode == 2 and "--base nope: no such commit here" in unknown.stderr
    missing = script("ops.pull_request_report", "--base", "HEAD", cwd=project)
    assert missing.returncode == 1 and "run `make pipeline` first" in missing.stderr
