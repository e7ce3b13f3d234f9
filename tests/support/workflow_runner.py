"""A stand-in for GitHub that runs the shell steps of a workflow's jobs here."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from support.processes import shell
from support.projects import link_environment
from support.workflows import JOBS, WORKFLOWS, read

# steps that need GitHub, Docker or another system, and the tests, which would run themselves
NOT_HERE = {
    "Install OpenMP for the boosters on macOS",
    "Test",
    "Test all",
    "Test on Windows",
    "Lint the workflows",
    "Store",
    "Notify",
    "Comment",
    "Release",
    "Build and start the image",
    "Smoke test",
    "Show the server's log",
    "Push the image",
    "Check the jobs before",
    "Build the site",
}
NOTHING_TO_DO = ("actions/checkout@", "actions/setup-python@")
# a push to a new branch, without secrets
EVENT = {
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
    "github.token": "",
    "inputs.trials": "",
    "inputs.source": "",
    "vars.MLFLOW_TRACKING_URI": "",
    "vars.INFERENCE_LOGS": "",
    "secrets.MLFLOW_TRACKING_USERNAME": "",
    "secrets.MLFLOW_TRACKING_PASSWORD": "",
    "secrets.AWS_ACCESS_KEY_ID": "",
    "secrets.AWS_SECRET_ACCESS_KEY": "",
    "secrets.ALERT_WEBHOOK": "",
}


@dataclass(frozen=True)
class Place:
    """Where a job's steps run: its clone, environment, shell, and the caches to save at its end."""

    folder: Path
    environment: dict[str, str]
    shell: str | None
    saved: list[dict] = field(default_factory=list)


class Runner:
    """Runs jobs one after the other, each in a clone at the same place, as on GitHub.

    Artifacts are passed on and caches kept.
    """

    def __init__(self, origin: Path, folder: Path, values: dict[str, str]):
        self.origin, self.folder, self.values = origin, folder, values
        self.ran: list[str] = []
        self.artifacts: dict[str, Path] = {}
        self.caches: dict[str, Path] = {}

    def value(self, text) -> str:
        """Return a text with GitHub's expressions replaced; one that is not foreseen fails."""
        return re.sub(r"\$\{\{ *(.+?) *\}\}", lambda match: self.values[match[1]], str(text))

    def values_of(self, block: dict) -> dict[str, str]:
        return {key: self.value(text) for key, text in block.items()}

    def job(self, name: str, job: str) -> Path:
        """Run a job's steps; return the folder in which they ran, which is moved when it ends."""
        folder, content = self.folder / "work", JOBS[name, job]
        assert shell(f"git clone -q '{self.origin}' '{folder}'", self.folder).returncode == 0
        link_environment(folder)
        shell_of = WORKFLOWS[name].get("defaults", {}).get("run", {}).get("shell")
        place = Place(folder, self.values_of(content.get("env", {})), shell_of)
        for step in content["steps"]:
            self.step(step, place)
        for options in place.saved:
            self.save(options, folder)
        return folder.rename(self.folder / f"{job}-{len(self.ran)}")

    def outputs(self, folder: Path) -> dict[str, str]:
        lines = (folder / "outputs").read_text().splitlines()
        return dict(line.partition("=")[::2] for line in lines)

    def step(self, step: dict, place: Place) -> None:
        uses, options = step.get("uses", ""), step.get("with", {})
        of_the_runner = "~" in options.get("path", "")
        if step.get("name") in NOT_HERE or uses.startswith(NOTHING_TO_DO) or of_the_runner:
            return
        if uses.startswith("./"):
            action = read(place.folder / uses / "action.yml")
            for inner in action["runs"]["steps"]:
                self.step(inner, Place(place.folder, place.environment, None, place.saved))
        elif uses.startswith("actions/cache/save@"):
            self.save(options, place.folder)
        elif uses.startswith("actions/cache"):
            self.restore(options, place.folder)
            place.saved.extend([options] if uses.startswith("actions/cache@") else [])
        elif "upload-artifact" in uses:
            self.upload(options, place.folder)
        elif "download-artifact" in uses:
            self.download(options, place.folder)
        else:
            self.command(step, place)

    def command(self, step: dict, place: Place) -> None:
        """Run a shell step; what it prints lies in NAME.log."""
        name = step["name"]
        strict = ["-eo", "pipefail"] if step.get("shell", place.shell) == "bash" else ["-e"]
        kept = {key: text for key, text in os.environ.items() if not key.startswith("MLFLOW_")}
        done = subprocess.run(
            ["bash", *strict, "-c", step["run"]],
            cwd=place.folder,
            capture_output=True,
            text=True,
            env={
                **kept,
                **place.environment,
                **self.values_of(step.get("env", {})),
                "GITHUB_OUTPUT": str(place.folder / "outputs"),
                "GITHUB_STEP_SUMMARY": str(place.folder / "summary.md"),
                "PYTHON": sys.executable,
                "CI": "true",
            },
        )
        (place.folder / f"{name}.log").write_text(done.stdout + done.stderr)
        assert done.returncode == 0, f"{name}:\n{done.stdout}\n{done.stderr}"
        self.ran.append(name)

    def upload(self, options: dict, folder: Path) -> None:
        """Keep an artifact, which leaves out hidden files."""
        name = self.value(options["name"])
        self.artifacts[name] = self.folder / "artifacts" / name
        copied = self.copy(options, folder, self.artifacts[name], shutil.ignore_patterns(".*"))
        assert copied or options.get("if-no-files-found") == "ignore", name

    def download(self, options: dict, folder: Path) -> None:
        wanted = self.value(options.get("name", options.get("pattern"))).replace("*", "")
        for artifact, source in self.artifacts.items():
            if artifact.startswith(wanted):
                shutil.copytree(source, folder, dirs_exist_ok=True)

    def copy(self, options: dict, folder: Path, place: Path, ignore=None) -> list[Path]:
        """Copy the paths that an action names to a place, anew; return them."""
        shutil.rmtree(place, ignore_errors=True)
        copied = []
        for pattern in self.value(options["path"]).split():
            copied += folder.glob(pattern)
        for path in copied:
            target = place / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                shutil.copytree(path, target, ignore=ignore)
            else:
                shutil.copy(path, target)
        return copied

    def save(self, options: dict, folder: Path) -> None:
        """Keep the newest cache of these paths, which is found by them whatever its key."""
        path = self.value(options["path"])
        self.caches[path] = self.folder / "caches" / re.sub(r"\W+", "-", path)
        self.copy(options, folder, self.caches[path])

    def restore(self, options: dict, folder: Path) -> None:
        path = self.value(options["path"])
        if path in self.caches:
            shutil.copytree(self.caches[path], folder, dirs_exist_ok=True)
