"""Compare what the models served lately with what they were trained on, and act on drift.

    python -m ops.monitor                                           # each dataset that has a log
    python -m ops.monitor --dataset iris --batch this_week.csv      # or a file of new rows
    python -m ops.monitor --act retrain                             # train on the source as it is
    python -m ops.monitor --logs s3://bucket/logs --act github      # open an issue and train there

The rule `register.promote` of params.yaml decides whether a newly trained model takes over.

Reads   params.yaml, logs/inference/, or the file; the environment's GITHUB_* with --act github
Writes  reports/<dataset>/served/; with --act retrain what the stages write

Exit status 3 where drift was found and nothing done about it.
"""

import argparse
import os
import subprocess
import sys
from dataclasses import dataclass

from ops import github
from pipeline import command
from pipeline.drift.verdicts import DRIFT, EXIT_STATUS
from pipeline.project import paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Params

WORKFLOW = "ml-pipeline.yml"


@dataclass(frozen=True)
class Watched:
    """What detect_drift.py said of a dataset: whether it found drift, and what it printed."""

    has_drifted: bool
    text: str


def fetch(address: str) -> None:
    """Copy a folder of inference logs from where a DVC remote could be.

    Raises UsageError where there are logs already, which are not touched, and DataError where there
    is nothing at the address.
    """
    folder = paths.INFERENCE_LOGS
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"--logs {address}: {folder}/ holds logs already; leave --logs out, or move them away"
        )
    if folder.is_dir():
        folder.rmdir()
    command_line = [sys.executable, "-m", "dvc", "get-url", address, str(folder)]
    done = subprocess.run(command_line, capture_output=True, text=True)
    if done.returncode:
        causes = done.stderr.strip().splitlines() or ["could not be fetched"]
        raise DataError(f"--logs {address}: {causes[0]}")


def watch(dataset: str, settings: Params, batch: str | None, labels: str | None) -> Watched:
    """Compare one dataset's log, or a batch, by detect_drift.py; print what it prints."""
    data = settings.dataset(dataset).data
    options = ["--dataset", dataset]
    if batch:
        options += ["--reference-data", data.file, "--current-data", batch]
        options += ["--target", data.target, "--output", str(paths.reports(dataset, "served"))]
    else:
        options.append("--from-log")
    if labels:
        options += ["--labels", labels]
    done = subprocess.run(
        [sys.executable, "detect_drift.py", *options], capture_output=True, text=True
    )
    print(done.stdout, end="", flush=True)
    if done.returncode not in (0, *EXIT_STATUS.values()):
        causes = done.stderr.strip().splitlines() or ["detect_drift.py said nothing"]
        raise DataError(f"{dataset}: {causes[-1]}")
    print(done.stderr, end="", file=sys.stderr)
    return Watched(done.returncode == EXIT_STATUS[DRIFT], done.stdout)


def retrain(dataset: str) -> None:
    """Run the dataset's stages on its source as it is now, and register the result.

    Raises DataError where a step fails; the model that serves then stays.
    """
    steps = (
        ["-m", "ops.repro", f"drift@{dataset}"],
        ["compare_results.py"],
        ["validate_metrics.py", "--dataset", dataset],
        ["register_model.py", "--dataset", dataset],
    )
    for step in steps:
        if subprocess.run([sys.executable, *step]).returncode:
            raise DataError(
                f"{dataset}: {' '.join(step)} failed, see above; the model that serves stays"
            )


def open_issues(drifted: dict[str, str]) -> None:
    """Open or update an issue for each dataset of {dataset: what was printed}, and start training.

    The training workflow is started once: of several runs that wait for their turn with the
    registry GitHub keeps the last alone, and in one for all datasets those that did not change cost
    seconds.
    """
    for dataset, text in drifted.items():
        issue = github.issue(f"Drift in {dataset}", issue_text(dataset, text), "drift")
        print(f"monitor {dataset}: {issue}")
    inputs = {"dataset": next(iter(drifted)) if len(drifted) == 1 else "all"}
    branch = os.environ.get("GITHUB_REF_NAME", "main")
    print(f"monitor: {github.dispatch(WORKFLOW, branch, inputs)}")


def issue_text(dataset: str, text: str) -> str:
    """Return the text of an issue on a dataset that drifted."""
    body = (
        f"What the model of `{dataset}` is asked differs from what it was trained on.\n\n"
        f"```text\n{text.strip()}\n```\n\n"
        f"The training workflow was started. It reads the dataset's source as it is now: new rows "
        f"help only once they are there. The rule `register.promote` of params.yaml decides "
        f"whether the new model takes over.\n"
    )
    run_id = os.environ.get("GITHUB_RUN_ID")
    if run_id:
        server = os.environ.get("GITHUB_SERVER_URL", "")
        repository = os.environ.get("GITHUB_REPOSITORY", "")
        body += f"\nFound by {server}/{repository}/actions/runs/{run_id}\n"
    return body


def options(argv: list[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = command.parser(__doc__)
    command.add_dataset(parser)
    parser.add_argument(
        "--batch", metavar="FILE", help="rows of one dataset to compare, in place of its log"
    )
    parser.add_argument("--labels", metavar="FILE", help="true answers to the log of one dataset")
    parser.add_argument("--logs", metavar="URL", help="fetch logs/inference/ from there first")
    parser.add_argument(
        "--act",
        choices=["tell", "retrain", "github"],
        default="tell",
        help="what to do on drift (%(default)s)",
    )
    args = parser.parse_args(argv)
    if (args.batch or args.labels) and args.dataset == "all":
        raise UsageError("--batch and --labels are for one dataset; add --dataset NAME")
    return args


def act(how: str, drifted: dict[str, str]) -> None:
    """Do what is to be done about {dataset: what was printed} of those that drifted."""
    if how == "retrain":
        for dataset in drifted:
            retrain(dataset)
    elif how == "github" and drifted:
        open_issues(drifted)


def watchable(datasets: list[str], batch: str | None) -> list[str]:
    """Return the datasets that have rows to look at: a batch, or an inference log."""
    if batch:
        return datasets
    return [name for name in datasets if paths.inference_log(name).is_file()]


def watch_all(
    datasets: list[str], settings: Params, args: argparse.Namespace
) -> tuple[dict[str, Watched], list[str]]:
    """Compare the served rows of each dataset; return what was found and what failed."""
    watched, failed = {}, []
    for dataset in datasets:
        try:
            watched[dataset] = watch(dataset, settings, args.batch, args.labels)
        # the others are looked at all the same
        except DataError as error:
            failed.append(str(error))
    return watched, failed


def main(argv: list[str] | None = None) -> int | None:
    args = options(argv)
    settings = command.settings()
    datasets = settings.names(args.dataset)
    if args.logs:
        fetch(args.logs)
    datasets = watchable(datasets, args.batch)
    if not datasets:
        print(
            f"monitor: no inference log in {paths.INFERENCE_LOGS}/; serve a model, or give --batch"
        )
        return None
    watched, failed = watch_all(datasets, settings, args)
    drifted = {name: found.text for name, found in watched.items() if found.has_drifted}
    act(args.act, drifted)
    if watched:
        print(f"monitor: drift in {', '.join(drifted) or 'none'} of {', '.join(watched)}")
    if failed:
        raise DataError("; ".join(failed))
    return EXIT_STATUS[DRIFT] if drifted and args.act == "tell" else None


if __name__ == "__main__":
    command.run(main)
