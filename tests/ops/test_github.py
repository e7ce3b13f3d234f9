"""ops.github speaks to a real HTTP server on loopback that keeps comments and issues."""

import subprocess
import sys

from ops import github
from support.processes import ROOT, script


def test_report_is_one_comment_that_is_updated_in_place_among_many_others(github_server, tmp_path):
    github_server.comments |= {
        number: {"id": number, "body": "hello", "user": {"type": "User"}} for number in range(120)
    }
    github_server.comments[3]["body"] = github.MARK + " said a person"
    (tmp_path / "report.md").write_text(f"{github.MARK}\nfirst")
    arguments = "comment", "--head", "someone:fix", "--file", str(tmp_path / "report.md")
    assert script("ops.github", *arguments).stdout == "github: comment on #7 written\n"
    (tmp_path / "report.md").write_text(f"{github.MARK}\nsecond")
    assert script("ops.github", *arguments).stdout == "github: comment on #7 updated\n"
    assert len(github_server.comments) == 121 and github_server.comments[120]["body"].endswith(
        "second"
    )
    assert github_server.comments[3]["body"].endswith("a person")


def test_branch_without_a_pull_request_is_no_error(github_server, tmp_path):
    (tmp_path / "report.md").write_text("x")
    done = script(
        "ops.github", "comment", "--head", "someone:else", "--file", str(tmp_path / "report.md")
    )
    assert (
        done.returncode == 0
        and "no open pull request of someone:else" in done.stdout
        and not github_server.comments
    )


def test_text_from_a_stranger_is_cut_and_marked(github_server):
    github.comment("someone:fix", "x" * 100_000)
    assert len(github_server.comments[0]["body"]) == github.LIMIT and github_server.comments[0][
        "body"
    ].startswith(github.MARK)


def test_drift_has_one_issue(github_server):
    assert github.issue("Drift in iris", "first", "drift") == "issue #1 opened"
    assert github.issue("Drift in tiny", "other", "drift") == "issue #2 opened"
    assert github.issue("Drift in iris", "second", "drift") == "issue #1 updated"
    assert github_server.issues[1]["body"] == "second" and len(github_server.issues) == 2


def test_workflow_is_started_with_its_inputs(github_server):
    done = script(
        "ops.github",
        "dispatch",
        "--workflow",
        "ml-pipeline.yml",
        "--input",
        "dataset=iris",
        "--input",
        "trials=5",
    )
    assert done.returncode == 0 and github_server.dispatched == [
        {"ref": "main", "inputs": {"dataset": "iris", "trials": "5"}}
    ]


def test_refusal_names_the_request_and_not_the_token(github_server, monkeypatch):
    github_server.refused = True
    done = script("ops.github", "dispatch", "--workflow", "ml-pipeline.yml")
    assert (
        done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "a-token" not in done.stderr
    )
    assert (
        "403 to POST actions/workflows/ml-pipeline.yml/dispatches: "
        "Resource not accessible by integration" in done.stderr
    )
    monkeypatch.delenv("GITHUB_TOKEN")
    assert script("ops.github", "dispatch", "--workflow", "ml-pipeline.yml").returncode == 2


def test_server_that_is_not_there_is_told(github_server, monkeypatch):
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    done = script("ops.github", "dispatch", "--workflow", "ml-pipeline.yml")
    assert done.returncode == 1 and "GitHub cannot be reached at http://127.0.0.1:1" in done.stderr


def test_it_needs_no_package_so_that_a_job_with_rights_installs_none():
    command = [sys.executable, "-S", "-m", "ops.github", "--help"]  # -S: without site-packages
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
