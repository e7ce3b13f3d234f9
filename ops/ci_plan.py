"""Say what a run on GitHub has to do: which jobs a change needs, on which systems, and the datasets with their settings.

    python -m ops.ci_plan --event pull_request --base origin/main
    python -m ops.ci_plan --event workflow_dispatch --dataset iris --trials 20 --source data/raw/iris.csv

Reads   params.yaml; the names of the files that changed since the base
Writes  one NAME=VALUE a line to standard output, as a job's outputs are given to GitHub
"""

import json
from fnmatch import fnmatch
from pathlib import Path

from pipeline import command
from pipeline.project import params
from pipeline.project.errors import UsageError
from pipeline.tracking.git import git

EVENTS = ("push", "pull_request", "schedule", "workflow_dispatch")
THOROUGH_TRIALS = (
    100  # of a search that is asked for: weekly, or by the label "tune" of a pull request
)
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
ONE_SYSTEM = [{"os": "ubuntu-latest", "python": "3.12"}]
ALL_SYSTEMS = [{"os": "ubuntu-latest", "python": python} for python in ("3.11", "3.12", "3.13")] + [
    {"os": system, "python": "3.12", "may_fail": True}
    for system in ("macos-latest", "windows-latest")
]  # told, and no more


def base_of(revision: str) -> str:
    """Return the commit to compare with: the one named, else the one before; on a new branch GitHub names none that there is."""
    for candidate in (revision, "HEAD~1", "HEAD"):
        commit = (
            git("rev-parse", "--verify", "--quiet", f"{candidate}^{{commit}}")
            if candidate
            else None
        )
        if commit:
            return commit
    raise UsageError("no commit here; run in a git repository with one")


def changed_files(revision: str) -> list[str] | None:
    """Return the files that differ from a commit; None where there is no such commit, so that anything may have changed."""
    names = git("diff", "--name-only", f"{revision}^{{commit}}", "HEAD") if revision else None
    return None if names is None else names.splitlines()


def changes_results(names: list[str] | None) -> bool:
    """Tell whether a change of these files can change what a stage gives; what is not known is taken to."""
    return names is None or not all(
        any(fnmatch(name, pattern) for pattern in NO_EFFECT) for name in names
    )


def settings(dataset: str, trials: int | None, tuning: bool, source: str | None) -> list[str]:
    """Return what ops.set_params is to change for a run that departs from params.yaml."""
    changed = []
    if not tuning:
        changed += [f"datasets.{dataset}.tune.trials=1", f"datasets.{dataset}.tune.blend=false"]
    elif trials:
        changed += [f"datasets.{dataset}.tune.trials={trials}"]
    if source:
        changed += [f"datasets.{dataset}.data.source={source}"]
        changed += (
            [f"datasets.{dataset}.data.depends_on={source}"] if Path(source).is_file() else []
        )
    return changed


def plan(
    event: str,
    names: list[str] | None,
    datasets: dict[str, str],
    trials: int | None = None,
    tuning: bool = True,
    source: str | None = None,
    thorough: bool = False,
) -> dict:
    """Return the jobs that an event and its changed files need; `datasets` are {name: file of its table}."""
    if thorough or event == "schedule":
        trials = trials or THOROUGH_TRIALS
    matrix = [
        {
            "dataset": dataset,
            "file": file,
            "settings": " ".join(settings(dataset, trials, tuning, source)),
        }
        for dataset, file in datasets.items()
    ]
    return {
        "systems": ONE_SYSTEM if event in ("push", "workflow_dispatch") else ALL_SYSTEMS,
        "slow": event == "schedule",
        "train": event in ("schedule", "workflow_dispatch") or thorough or changes_results(names),
        "datasets": matrix,
    }


def main(argv=None):
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
    if args.trials and not args.trials.isdecimal():
        raise UsageError(f"--trials {args.trials}: give a whole number")
    if args.source and any(character.isspace() for character in args.source):
        raise UsageError(f"--source {args.source!r}: give a path or an address without blanks")
    if args.source and args.dataset == "all":
        raise UsageError("--source is for one dataset; add --dataset NAME")
    project = params.load()
    datasets = {name: project.dataset(name).data.file for name in project.names(args.dataset)}
    trials = int(args.trials) if args.trials else None
    found = plan(
        args.event,
        changed_files(args.base),
        datasets,
        trials,
        not args.no_tuning,
        args.source,
        args.thorough,
    )
    for name, value in found.items():
        print(f"{name}={json.dumps(value)}")
    print(f"base={base_of(args.base)}")


if __name__ == "__main__":
    command.run(main)
