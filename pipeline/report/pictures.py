"""The pictures of a dataset as numbers: what the page draws, and the files of `dvc plots show`."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from pipeline.project import files, markup, paths
from pipeline.project.rounding import significant
from pipeline.report import charts
from pipeline.report.best import BestPredictions
from pipeline.report.charts import Curve, Outcome, Point, TrialValue
from pipeline.report.comparison import DatasetResult
from pipeline.report.pairs import Pairs
from pipeline.training.results.reading import read_tune

CURVES = ("roc", "precision_recall", "calibration", "tolerance")


@dataclass(frozen=True)
class Pictures:
    """What is drawn of a dataset; None where there is nothing to draw.

    roc, precision_recall, calibration  curves of a classifier
    tolerance                           share of a regression's rows within an error
    dots                                [actual, predicted] of a regression
    outcomes                            what was predicted for what
    course                              the trials of the search, in their order
    pairs                               every two candidates side by side
    """

    roc: list[Curve] | None = None
    precision_recall: list[Curve] | None = None
    calibration: list[Curve] | None = None
    tolerance: list[Curve] | None = None
    dots: list[Point] | None = None
    outcomes: list[Outcome] | None = None
    course: list[TrialValue] | None = None
    pairs: Pairs | None = None

    def curves(self) -> dict[str, list[Curve]]:
        """Return the curves by their kind, those that there are."""
        kinds = {kind: getattr(self, kind) for kind in CURVES}
        return {kind: curves for kind, curves in kinds.items() if curves is not None}


_PICTURES = TypeAdapter(dict[str, Pictures])


def read() -> dict[str, Pictures] | None:
    """Return the pictures of the last comparison by dataset; None in a clone that has none yet."""
    if not paths.PICTURES.is_file():
        return None
    return parsed(files.read_json(paths.PICTURES, made_by="dvc repro"))


def parsed(content: dict[str, Any]) -> dict[str, Pictures]:
    """Return the pictures by dataset from the content of their JSON file."""
    return _PICTURES.validate_python(content)


def read_course(dataset: str) -> list[TrialValue] | None:
    """Return the finished trials of a dataset's search; None where it has not run."""
    tuned = read_tune(dataset)
    return None if tuned is None else [TrialValue(*trial) for trial in tuned["course"]]


def draw(result: DatasetResult, predicted: BestPredictions) -> Pictures:
    """Return the pictures of the best candidates' stored predictions."""
    names, test = predicted.names, predicted.test
    best = result.best.name
    outcomes = charts.outcomes(test, best, result.chosen)
    matrix = result.chosen.confusion_matrix
    if matrix is None:
        return Pictures(
            tolerance=charts.tolerance(names, test),
            dots=charts.dots(test, best),
            outcomes=outcomes,
        )
    curves = charts.class_curves(names, predicted.out_of_fold, test, matrix.labels)
    return Pictures(
        roc=curves.roc,
        precision_recall=curves.precision_recall,
        calibration=curves.calibration,
        outcomes=outcomes,
    )


def write(pictures: dict[str, Pictures]) -> None:
    """Write the pictures of all datasets as one JSON file."""
    files.write_json(paths.PICTURES, {name: as_json(one) for name, one in pictures.items()})


def as_json(pictures: Pictures) -> dict[str, Any]:
    """Return what there is to draw of a dataset."""
    return {kind: drawn for kind, drawn in asdict(pictures).items() if drawn is not None}


def write_plots(folder: Path, dataset: str, result: DatasetResult, pictures: Pictures) -> None:
    """Write the files that `dvc plots show` draws: scores, curves, the search and the outcomes."""
    _write_csv(
        folder / "scores" / f"{dataset}.csv",
        ["candidate", "metric", "low", "high", "cv"],
        _scores(result),
    )
    _write_csv(
        folder / "curves" / f"{dataset}.csv",
        ["kind", "curve", "x", "y"],
        _points(pictures),
    )
    _write_csv(
        folder / "tuning" / f"{dataset}.csv",
        ["trial", "model", "value", "best"],
        _course(pictures.course or [], result.primary_metric),
    )
    _write_csv(
        folder / "outcomes" / f"{dataset}.csv",
        ["actual", "predicted", "rows"],
        pictures.outcomes or [],
    )


def _scores(result: DatasetResult) -> Iterator[list[Any]]:
    for name, candidate in result.candidates.items():
        cv = candidate.cv[result.primary_metric]
        if cv.mean is None or cv.std is None:
            continue
        low, high = significant(cv.mean - cv.std), significant(cv.mean + cv.std)
        yield [name, result.primary_metric, low, high, cv.mean]


def _points(pictures: Pictures) -> Iterator[list[Any]]:
    for kind, curves in pictures.curves().items():
        for curve in curves:
            for x, y in curve.points:
                yield [kind, curve.name, x, y]


def _course(trials: list[TrialValue], metric: str) -> Iterator[list[Any]]:
    for trial, best in zip(trials, charts.best_so_far(trials, metric)):
        yield [trial.number, trial.model, trial.value, best]


def _write_csv(path: Path, header: list[str], rows: Iterable[Sequence[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as partial:
        with open(partial, "w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(header)
            for row in rows:
                # `dvc plots show` puts the file into a script of its page as it is
                writer.writerow(map(markup.without_tags, row))
