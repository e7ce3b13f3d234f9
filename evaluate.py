"""Score a stored model on the test split of its dataset, or on a file with the same columns.

    python evaluate.py --dataset iris                                     # the model that compare chose
    python evaluate.py --dataset iris --model random_forest --input new_rows.csv
    python evaluate.py --dataset iris --version champion                  # a registered version: its number or an alias

Reads   params.yaml, models/iris/ or MLflow's registry, data/processed/iris/test.parquet or the file
Writes  nothing: prints every metric with its 95 % bootstrap interval
"""

from pipeline import command
from pipeline.data import kinds, reading, splits, targets
from pipeline.data.kinds import NUMBER
from pipeline.models import storage
from pipeline.project import errors, files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.registry import versions
from pipeline.scoring import thresholds
from pipeline.scoring.bootstrap import Score
from pipeline.scoring.rows import Rows
from pipeline.scoring.scores import scores_with_intervals
from pipeline.training import results


def stored_model(dataset, name):
    """Return the folder of a model of the dataset: the one named, or the one that compare chose."""
    if name is None:
        best = files.read_json(paths.best(dataset), made_by="python compare_results.py")
        return paths.models(dataset, best["stage"]) / best["candidate"]
    stored = [
        path.parent
        for stage in results.STAGES
        for path in sorted(paths.models(dataset, stage).glob("*/metadata.json"))
    ]
    for folder in stored:
        if folder.name == name:
            return folder
    raise UsageError(
        f"--model {name}: no stored model of {dataset}; there are: "
        f"{', '.join(folder.name for folder in stored) or f'none, run `python train.py --dataset {dataset}` first'}"
    )


def labelled_rows(dataset, data, file):
    """Return the rows to score, as they stand in the test split or a file, their targets, and where they come from."""
    if file is None:
        frame, origin = (
            splits.read_split(dataset, "test"),
            f"{paths.processed(dataset)}/test.parquet",
        )
    else:
        frame, origin = reading.read(file, data.separator, data.encoding, data.categorical), file
    if data.target not in frame.columns:
        raise DataError(f"{origin}: no column {data.target!r}, the target to score against; add it")
    target = kinds.blank_to_missing(frame[data.target])
    if target.isna().any():
        raise DataError(
            f"{origin}: {int(target.isna().sum())} rows have no {data.target!r}; fill them in or remove them"
        )
    return frame, target, origin


def scores(model, frame, target, origin, seed):
    """Return every metric of a model on labelled rows, with its interval but for those by class."""
    output = model.output(kinds.conform(frame, model.spec.inputs, origin))
    task, classes = model.spec.task, model.spec.classes
    if task == "regression":
        numbers = kinds.typed_as(target, NUMBER)
        if len(numbers.unreadable):
            raise DataError(
                f"{origin}: text in the target {target.name!r}: {numbers.fault(target)}; fix the values"
            )
        y, decisions = numbers.values.to_numpy(), None
    else:
        labels = kinds.as_text(target)
        unknown = sorted(set(labels) - set(classes))
        if unknown:
            raise DataError(
                f"{origin}: {target.name!r} holds {errors.listed(unknown)}, which the model does not know; "
                f"it knows: {errors.listed(classes)}"
            )
        y = targets.class_numbers(labels, classes)
        decisions = thresholds.decide(output, model.spec.threshold)
    return scores_with_intervals(Rows(y, output, decisions), classes, seed)


def line(metric: str, score: Score) -> str:
    """Return a metric as it is printed."""
    text = f"{metric:28} {score.value:12.6g}"
    if score.interval is None:
        return text
    return f"{text}   [{score.interval.low:.6g}, {score.interval.high:.6g}]"


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument("--dataset", required=True, metavar="D", help="a dataset of params.yaml")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", metavar="M", help="a stored model, in place of the best one")
    which.add_argument(
        "--version",
        metavar="V",
        help="a registered version, its number or an alias (champion, previous, ...)",
    )
    parser.add_argument(
        "--input", metavar="FILE", help="a CSV or Parquet file with the features and the target"
    )
    args = parser.parse_args(argv)
    settings = command.settings()
    data = settings.dataset(args.dataset).data
    if args.version is not None:
        found = versions.resolve(args.dataset, settings, args.version)
        folder, name = found.folder, f"{found.name} version {found.version}"
    else:
        folder = name = stored_model(args.dataset, args.model)
    frame, target, origin = labelled_rows(args.dataset, data, args.input)
    measured = scores(storage.load(folder), frame, target, origin, settings.seed)
    trained_on = files.read_json(
        folder / "metadata.json", made_by=f"python train.py --dataset {args.dataset}"
    )
    print(
        f"{name} on {len(frame):,} rows of {origin}{', synthetic data' * (trained_on['synthetic'] and not args.input)}"
    )
    for metric, score in measured.items():
        print(line(metric, score))


if __name__ == "__main__":
    command.run(main)
