"""Print what a run on GitHub has to do: its jobs, their systems, and the datasets with settings.

    python -m ops.ci_plan --event pull_request --base origin/main
    python -m ops.ci_plan --event workflow_dispatch --dataset iris --trials 20 \\
        --source data/raw/iris.csv

Reads   params.yaml; the names of the files that changed since the base
Writes  one NAME=VALUE a line to standard output, as a job's outputs are given to GitHub
"""

import argparse
import json
from dataclasses import asdict, dataclass
from fnmatch import fnmatch
from pathlib import Path

from pipeline import command
from pipeline.project.errors import UsageError
from pipeline.tracking.git import git

EVENTS = ("push", "pull_request", "schedule", "workflow_dispatch")
# of a search that is asked for: weekly, or by the label "tune" of a pull request
THOROUGH_TRIALS = 100
NO_EFFECT = (
    "docs/*",
    "*.md",
    "LICENSE",
    ".github/*",
    ".ci/*",
    "ops/*",
    "tests/*",
    "benchmarks/*",
    "notebooks/*",
    "deploy/*",
    "Makefile",
    "MLproject",
    ".gitignore",
    ".gitattributes",
    ".pre-commit-config.yaml",
    "mypy.ini",
    "pytest.ini",
    "ruff.toml",
    "setup.cfg",
)


@dataclass(frozen=True)
class System:
    """An operating system and a Python; where a failure is allowed, it is reported and no more."""

    os: str
    python: str
    may_fail: bool = False


ONE_SYSTEM = (System("ubuntu-latest", "3.12"),)
ALL_SYSTEMS = (
    System("ubuntu-latest", "3.11"),
    System("ubuntu-latest", "3.12"),
    System("ubuntu-latest", "3.13"),
    System("macos-latest", "3.12", may_fail=True),
    System("windows-latest", "3.12", may_fail=True),
)


@dataclass(frozen=True)
class RunInputs:
    """What a person asks for who starts a run by hand, or the label of a pull inputs."""

    trials: int | None = None
    tuning: bool = True
    source: str | None = None
    thorough: bool = False


@dataclass(frozen=True)
class DatasetJob:
    """The training of one dataset: its name, the file of its table, settings for ops.set_params."""

    dataset: str
    file: str
    settings: str


@dataclass(frozen=True)
class Plan:
    """The outputs of the job `plan`, by the names that the workflow reads."""

    systems: tuple[System, ...]
    slow: bool
    train: bool
    datasets: tuple[DatasetJob, ...]


def base_of(revision: str) -> str:
    """Return the commit to compare with: the named one, else the one before.

    GitHub names a commit that does not exist where a branch is new. Raises UsageError where there
    is no commit at all.
    """
    for candidate in (revision, "HEAD~1", "HEAD"):
        commit = None
        if candidate:
            commit = git("rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}")
        if commit:
            return commit
    raise UsageError("no commit here; run in a git repository with one")


def changed_files(revision: str) -> list[str] | None:
    """Return the files that differ from a commit; None where it is unknown, so that any may."""
    if not revision:
        return None
    names = git("diff", "--name-only", f"{revision}^{{commit}}", "HEAD")
    return None if names is None else names.splitlines()


def has_no_effect(name: str) -> bool:
    """Return whether no result of a stage depends on a file."""
    return any(fnmatch(name, pattern) for pattern in NO_EFFECT)


def changes_results(names: list[str] | None) -> bool:
    """Return whether a change of these files may change a stage's results; unknown ones may."""
    return names is None or not all(has_no_effect(name) for name in names)


def settings(dataset: str, inputs: RunInputs, trials: int | None) -> list[str]:
    """Return the KEY=VALUE arguments for ops.set_params where a run departs from params.yaml."""
    block = f"datasets.{dataset}"
    changed = []
    if not inputs.tuning:
        changed += [f"{block}.tune.trials=1", f"{block}.tune.blend=false"]
    elif trials:
        changed += [f"{block}.tune.trials={trials}"]
    if inputs.source:
        changed += [f"{block}.data.source={inputs.source}"]
        if Path(inputs.source).is_file():
            changed += [f"{block}.data.depends_on={inputs.source}"]
    return changed


def plan(event: str, names: list[str] | None, files: dict[str, str], inputs: RunInputs) -> Plan:
    """Return what an event and its changed files need.

    `names` are the changed files, None where they are unknown; `files` holds the file of each
    dataset's table by the dataset's name.
    """
    trials = inputs.trials
    if not trials and (inputs.thorough or event == "schedule"):
        trials = THOROUGH_TRIALS
    datasets = []
    for dataset, file in files.items():
        changed = " ".join(settings(dataset, inputs, trials))
        datasets.append(DatasetJob(dataset, file, changed))
    asked_for = inputs.thorough or event in ("schedule", "workflow_dispatch")
    return Plan(
        systems=ONE_SYSTEM if event in ("push", "workflow_dispatch") else ALL_SYSTEMS,
        slow=event == "schedule",
        train=asked_for or changes_results(names),
        datasets=tuple(datasets),
    )


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument(
        "--event", choices=EVENTS, default="push", help="what started the run (%(default)s)"
    )
    parser.add_argument(
        "--base", default="", metavar="REV", help="the commit that the change starts from"
    )
    parser.add_argument("--trials", metavar="N", help="of the search, in place of params.yaml's")
    parser.add_argument("--no-tuning", action="store_true", help="one trial instead of a search")
    parser.add_argument("--source", metavar="S", help="of the table, in place of params.yaml's")
    parser.add_argument(
        "--thorough",
        action="store_true",
        help=f"search with {THOROUGH_TRIALS} trials, whatever changed",
    )
    args = parser.parse_args(argv)
    check(args)
    return args


def check(args: argparse.Namespace) -> None:
    """Raise UsageError for inputs that no run can use."""
    if args.trials and not args.trials.isdecimal():
        raise UsageError(f"--trials {args.trials}: give a whole number")
    if args.source and any(character.isspace() for character in args.source):
        raise UsageError(f"--source {args.source!r}: give a path or an address without blanks")
    if args.source and args.dataset == "all":
        raise UsageError("--source is for one dataset; add --dataset NAME")


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    project = command.settings()
    files = {name: project.dataset(name).data.file for name in project.names(args.dataset)}
    inputs = RunInputs(
        trials=int(args.trials) if args.trials else None,
        tuning=not args.no_tuning,
        source=args.source,
        thorough=args.thorough,
    )
    planned = plan(args.event, changed_files(args.base), files, inputs)
    for name, value in asdict(planned).items():
        print(f"{name}={json.dumps(value)}")
    print(f"base={base_of(args.base)}")


if __name__ == "__main__":
    command.run(main)
