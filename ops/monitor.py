"""Compare what the models served lately with what they were trained on, and act on drift.

    python -m ops.monitor                                           # every dataset that has an inference log
    python -m ops.monitor --dataset iris --batch this_week.csv      # or a file of new rows
    python -m ops.monitor --act retrain                             # train on the source as it is now, and let the rule decide
    python -m ops.monitor --logs s3://bucket/logs --act github      # open an issue, and start the training workflow there

Reads   params.yaml, logs/inference/, or the file; the environment's GITHUB_* with --act github
Writes  reports/<dataset>/served/; with --act retrain what the stages write

Exit status 3 where drift was found and nothing done about it.
"""

import os
import subprocess
import sys

from pipeline import command
from pipeline.drift.verdicts import DRIFT, EXIT_STATUS
from pipeline.project import paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Params

WORKFLOW = "ml-pipeline.yml"


def fetch(address: str) -> None:
    """Copy a folder of inference logs from where a DVC remote could be; logs that are here already are not touched."""
    folder = paths.INFERENCE_LOGS
    if folder.is_dir() and any(folder.iterdir()):
        raise UsageError(
            f"--logs {address}: {folder}/ holds logs already; leave --logs out, or move them away"
        )
    if folder.is_dir():
        folder.rmdir()
    done = subprocess.run(
        [sys.executable, "-m", "dvc", "get-url", address, str(folder)],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise DataError(
            f"--logs {address}: {(done.stderr.strip().splitlines() or ['could not be fetched'])[0]}"
        )


def look(dataset: str, settings: Params, batch: str | None, labels: str | None) -> tuple[int, str]:
    """Compare one dataset's log, or a batch; return detect_drift.py's exit status and what it printed."""
    data = settings.dataset(dataset).data
    arguments = (
        [
            "--reference-data",
            data.file,
            "--current-data",
            batch,
            "--target",
            data.target,
            "--output",
            str(paths.reports(dataset, "served")),
        ]
        if batch
        else ["--from-log"]
    )
    arguments += ["--labels", labels] if labels else []
    done = subprocess.run(
        [sys.executable, "detect_drift.py", "--dataset", dataset, *arguments],
        capture_output=True,
        text=True,
    )
    print(done.stdout, end="", flush=True)
    if done.returncode not in (0, *EXIT_STATUS.values()):
        raise DataError(
            f"{dataset}: {(done.stderr.strip().splitlines() or ['detect_drift.py said nothing'])[-1]}"
        )
    print(done.stderr, end="", file=sys.stderr)
    return done.returncode, done.stdout


def retrain(dataset: str) -> None:
    """Run the dataset's stages on its source as it is now, and register the result, which the rule of params.yaml may promote."""
    for step in (
        ["-m", "ops.repro", f"drift@{dataset}"],
        ["compare_results.py"],
        ["validate_metrics.py", "--dataset", dataset],
        ["register_model.py", "--dataset", dataset],
    ):
        if subprocess.run([sys.executable, *step]).returncode:
            raise DataError(
                f"{dataset}: {' '.join(step)} failed, see above; the model that serves stays"
            )


def tell_github(found: dict[str, str]) -> None:
    """Open or update an issue for each dataset of {dataset: what was printed}, and start the training workflow once.

    Of several runs that wait for their turn with the registry GitHub keeps the last alone; in one for all datasets those that did
    not change cost seconds.
    """
    from ops import github

    run = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}".format_map(
        {
            name: os.environ.get(name, "")
            for name in ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")
        }
    )
    for dataset, text in found.items():
        body = (
            f"What the model of `{dataset}` is asked differs from what it was trained on.\n\n"
            f"```text\n{text.strip()}\n```\n\n"
            f"The training workflow was started. It reads the dataset's source as it is now: new rows help only once they "
            f"are there. The rule `register.promote` of params.yaml decides whether the new model takes over.\n"
        )
        body += f"\nFound by {run}\n" if os.environ.get("GITHUB_RUN_ID") else ""
        print(f"monitor {dataset}: {github.issue(f'Drift in {dataset}', body, 'drift')}")
    inputs = {"dataset": next(iter(found)) if len(found) == 1 else "all"}
    print(
        f"monitor: {github.dispatch(WORKFLOW, os.environ.get('GITHUB_REF_NAME', 'main'), inputs)}"
    )


def main(argv=None):
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
    settings = command.settings()
    datasets = settings.names(args.dataset)
    if (args.batch or args.labels) and args.dataset == "all":
        raise UsageError("--batch and --labels are for one dataset; add --dataset NAME")
    if args.logs:
        fetch(args.logs)
    watched = [
        dataset for dataset in datasets if args.batch or paths.inference_log(dataset).is_file()
    ]
    if not watched:
        print(
            f"monitor: no inference log in {paths.INFERENCE_LOGS}/; serve a model, or give --batch"
        )
        return None
    found, failed = {}, []
    for dataset in watched:
        try:
            found[dataset] = look(dataset, settings, args.batch, args.labels)
        except DataError as error:  # the others are looked at all the same
            failed.append(str(error))
    drifted = [dataset for dataset, (status, _) in found.items() if status == EXIT_STATUS[DRIFT]]
    if args.act == "retrain":
        for dataset in drifted:
            retrain(dataset)
    elif args.act == "github" and drifted:
        tell_github({dataset: found[dataset][1] for dataset in drifted})
    if found:
        print(f"monitor: drift in {', '.join(drifted) or 'none'} of {', '.join(found)}")
    if failed:
        raise DataError("; ".join(failed))
    return EXIT_STATUS[DRIFT] if drifted and args.act == "tell" else None


if __name__ == "__main__":
    command.run(main)
