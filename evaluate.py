"""Score a stored model on the test split of its dataset, or on a file with the same columns.

    python evaluate.py --dataset iris                         # the best model
    python evaluate.py --dataset iris --model random_forest --input new_rows.csv
    python evaluate.py --dataset iris --version champion      # a registered version, or its number

Reads   params.yaml, models/iris/ or MLflow's registry, data/processed/iris/test.parquet or the file
Writes  nothing: prints every metric with its 95 % bootstrap interval
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pipeline.project.processor  # noqa: F401 - before numpy

import numpy as np
import pandas as pd

from pipeline import command
from pipeline.data import cleaning, kinds, quality, reading, splits, targets
from pipeline.data.kinds import NUMBER
from pipeline.models import storage
from pipeline.models.fitted import Fitted
from pipeline.models.spec import ModelSpec
from pipeline.project import errors, files, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Dataset
from pipeline.project.settings.data import Data, Prepare
from pipeline.registry import versions
from pipeline.scoring import thresholds
from pipeline.scoring.bootstrap import Score
from pipeline.scoring.rows import Rows
from pipeline.scoring.sampling import BY_ROW, Sampling
from pipeline.scoring.scores import HeaviestRows, heaviest_rows, scores_with_intervals
from pipeline.scoring.terms.reading import read_terms
from pipeline.training.results.reading import STAGES
from pipeline.training.sampling import sampling_of_test


@dataclass(frozen=True)
class LabelledRows:
    """Rows to score as a file or the test split holds them, their targets, and their origin.

    `training_rows` are those of the split beside the test split; None for a file.
    """

    frame: pd.DataFrame
    target: pd.Series
    origin: str
    training_rows: int | None


def stored_model(dataset: str, name: str | None) -> Path:
    """Return the folder of a model of the dataset: the one named, or the one that compare chose."""
    if name is None:
        best = files.read_json(paths.best(dataset), made_by="python compare_results.py")
        return paths.models(dataset, best["stage"]) / best["candidate"]
    stored: list[Path] = []
    for stage in STAGES:
        stored += sorted(paths.models(dataset, stage).glob("*/metadata.json"))
    folders = {path.parent.name: path.parent for path in stored}
    if name not in folders:
        there_are = ", ".join(folders) or f"none, run `python train.py --dataset {dataset}` first"
        raise UsageError(f"--model {name}: no stored model of {dataset}; there are: {there_are}")
    return folders[name]


def labelled_rows(dataset: str, data: Data, file: str | None) -> LabelledRows:
    """Return the test split of a dataset, or the rows of a file.

    Raises DataError where the target is missing, as a column or in a row.
    """
    training_rows = None
    if file is None:
        frame = splits.read_split(dataset, "test")
        training_rows = len(splits.read_split(dataset, "train"))
        origin = f"{paths.processed(dataset)}/test.parquet"
    else:
        frame = reading.read(file, quality.form_of_file(dataset, data, file))
        frame = cleaning.with_target(frame, data)
        origin = file
    if data.target not in frame.columns:
        raise DataError(f"{origin}: no column {data.target!r}, the target to score against; add it")
    target = kinds.blank_to_missing(frame[data.target])
    missing = int(target.isna().sum())
    if missing:
        raise DataError(
            f"{origin}: {missing} rows have no {data.target!r}; fill them in or remove them"
        )
    return LabelledRows(frame, target, origin, training_rows)


def numeric_target(labelled: LabelledRows, spec: ModelSpec) -> np.ndarray:
    """Return the targets as the model knows them: numbers, or class codes; shape (rows,).

    Raises DataError where one is text in place of a number, or a class unknown to the model.
    """
    target, origin = labelled.target, labelled.origin
    if spec.classes is None:
        numbers = kinds.typed_as(target, NUMBER)
        if len(numbers.unreadable):
            fault = numbers.fault(target)
            raise DataError(
                f"{origin}: text in the target {target.name!r}: {fault}; fix the values"
            )
        return numbers.values.to_numpy()
    labels = kinds.as_text(target)
    unknown = sorted(set(labels) - set(spec.classes))
    if unknown:
        raise DataError(
            f"{origin}: {target.name!r} holds {errors.listed(unknown)}, which the model does not "
            f"know; it knows: {errors.listed(spec.classes)}"
        )
    return targets.class_numbers(labels, spec.classes)


def prepared_columns(labelled: LabelledRows, data: Data) -> pd.DataFrame:
    """Return the columns of the rows typed as prepare does, for what scores are computed by."""
    if labelled.training_rows is not None:
        return labelled.frame
    columns = {}
    for name in labelled.frame:
        raw = kinds.blank_to_missing(labelled.frame[name])
        columns[name] = cleaning.typed_column(raw, data).values
    return pd.DataFrame(columns, index=labelled.frame.index)


@dataclass(frozen=True)
class Evaluation:
    """Every metric of a model on labelled rows, with its interval but for those by class."""

    scores: dict[str, Score]
    heaviest_rows: HeaviestRows | None


def evaluate(model: Fitted, labelled: LabelledRows, block: Dataset, seed: int) -> Evaluation:
    """Return how a model does on labelled rows, which are drawn again as the test split was."""
    features = model.spec.typed(labelled.frame, labelled.origin)
    output = model.output(features)
    y = numeric_target(labelled, model.spec)
    prepared = prepared_columns(labelled, block.data)
    terms = read_terms(prepared, y, model.spec.classes, block, labelled.origin)
    rows = Rows(y, output, terms=terms)
    rows = thresholds.decided(rows, model.spec.rule)
    sampling = sampling_of(replace(labelled, frame=prepared), rows, block.prepare)
    scores = scores_with_intervals(rows, model.spec.classes, seed, sampling)
    return Evaluation(scores, heaviest_rows(rows))


def sampling_of(labelled: LabelledRows, rows: Rows, prepare: Prepare) -> Sampling:
    """Return how the rows were drawn; those of a file as a split by time or group would have it."""
    frame, origin = labelled.frame, labelled.origin
    codes = rows.y if rows.task == "classification" else None
    if labelled.training_rows is not None:
        return sampling_of_test(frame, codes, prepare, labelled.training_rows, origin)
    if prepare.split_column not in frame:
        return BY_ROW
    return sampling_of_test(frame, None, prepare, 0, origin)


def line(metric: str, score: Score) -> str:
    """Return a metric as it is printed."""
    text = f"{metric:28} {score.value:12.6g}"
    if score.interval is None:
        return text
    return f"{text}   [{score.interval.low:.6g}, {score.interval.high:.6g}]"


def parsed(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = command.parser(__doc__)
    command.add_dataset(parser, required=True)
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--model", metavar="M", help="a stored model; default the best one")
    which.add_argument(
        "--version",
        metavar="V",
        help="a registered version: its number or alias (champion, previous, ...)",
    )
    parser.add_argument("--input", metavar="FILE", help="a file with the features and the target")
    command.add_trust_code(parser)
    return parser.parse_args(argv)


def main(argv: Sequence[str] | None = None) -> None:
    args = parsed(argv)
    settings = command.settings()
    spec = settings.dataset(args.dataset)
    if args.version is None:
        folder = stored_model(args.dataset, args.model)
        name = str(folder)
    else:
        version = versions.resolve(args.dataset, settings, args.version)
        # `resolve` fetched its files
        assert version.folder is not None
        folder, name = version.folder, f"{version.name} version {version.version}"
    labelled = labelled_rows(args.dataset, spec.data, args.input)
    model = storage.load(folder, args.trust_code)
    evaluation = evaluate(model, labelled, spec, settings.seed)
    metadata = files.read_json(
        folder / "metadata.json", made_by=f"python train.py --dataset {args.dataset}"
    )
    synthetic = metadata["synthetic"] and not args.input
    data_note = ", synthetic data" if synthetic else ""
    print(f"{name} on {len(labelled.frame):,} rows of {labelled.origin}{data_note}")
    for metric, score in evaluation.scores.items():
        print(line(metric, score))
    if evaluation.heaviest_rows is not None:
        print(f"{evaluation.heaviest_rows}: the intervals can be too narrow")


if __name__ == "__main__":
    command.run(main)
