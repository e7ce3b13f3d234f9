"""The output of a stage: its folders of models, figures and predictions, each replaced whole."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np

from pipeline.data.quality import statistics
from pipeline.models import storage
from pipeline.models.families import monotone
from pipeline.models.fitted import Fitted
from pipeline.project import files, paths
from pipeline.scoring import thresholds
from pipeline.training import assessment, figures, predictions
from pipeline.training.candidates import CandidateOutputs
from pipeline.training.figures import Part
from pipeline.training.problem import Problem
from pipeline.training.results.content import Candidate
from pipeline.training.results.ranking import best_candidate

HOW_TO_LOAD = "from pipeline.models import storage; storage.load({folder!r}).predict(frame)"


@dataclass(frozen=True)
class StageFolders:
    """Where a stage builds its folders, until they replace those of its last run."""

    models: Path
    reports: Path
    predictions: Path


def write_stage(
    stage: str,
    problem: Problem,
    fitted: dict[str, CandidateOutputs],
    kept: dict[str, Candidate],
    beside: Callable[[StageFolders], None] | None = None,
) -> dict[str, Candidate]:
    """Score and store fitted candidates; return {name: candidate} of them and of those kept.

    `kept` are candidates of the stage's last run, whose models, figures and predictions stay.
    `beside` may add files to the folders.
    How long each takes to predict a row lies outside DVC, with the other durations.
    """
    seconds: dict[str, float] = {}
    models: dict[str, Fitted] = {}
    candidates = dict(kept)
    with stage_folders(problem.dataset, stage, keep=bool(kept)) as folders:
        files.write_json(folders.models / "train_stats.json", _statistics(problem))
        for name, outputs in fitted.items():
            started = time.perf_counter()
            train_output = outputs.model.output_of_features(problem.X)
            seconds[name] = (time.perf_counter() - started) / len(problem.X)
            scores = assessment.scores(problem, outputs, train_output)
            models[name] = assessment.with_rule(outputs.model, scores.rule)
            importance = assessment.importance(problem, models[name])
            candidates[name] = _store_candidate(
                stage, name, problem, models[name], outputs, scores.as_json(), importance, folders
            )
        _write_predictions(problem, fitted, folders.predictions)
        _explain_best(problem, candidates, models, folders.models)
        if beside:
            beside(folders)
    _write_seconds(problem.dataset, stage, seconds, candidates, keep=bool(kept))
    return candidates


def _statistics(problem: Problem) -> dict[str, Any]:
    """Return the statistics of what a user sends.

    Where the user's own code makes the features, serving knows the inputs' categories from here.
    """
    if problem.own.makes_columns:
        return statistics(problem.inputs, most_categories=None)
    return statistics(problem.inputs)


def rehearse(stage: str, problem: Problem, outputs: CandidateOutputs) -> float:
    """Score, store and draw a candidate as `write_stage` does, in a folder that is then removed.

    Return the seconds on the processor, whatever else runs on the machine. The model is not asked:
    that takes longer or shorter from model to model.
    """
    figures.load_libraries()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folders = StageFolders(folder / "models", folder / "reports", folder / "predictions")
        for part in (folders.models, folders.reports):
            part.mkdir()
        started = time.thread_time()
        scores = assessment.scores(problem, outputs, np.nan_to_num(outputs.out_of_fold))
        model = assessment.with_rule(outputs.model, scores.rule)
        no_importance = dict.fromkeys(model.columns(), 0.0)
        _store_candidate(
            stage, "rehearsed", problem, model, outputs, scores.as_json(), no_importance, folders
        )
        return time.thread_time() - started


@contextmanager
def stage_folders(dataset: str, stage: str, keep: bool) -> Iterator[StageFolders]:
    """Yield folders that replace those of a stage when the block succeeds; with `keep`, copies."""
    with ExitStack() as stack:
        parts = []
        for place in (paths.models, paths.reports, paths.predictions):
            path = place(dataset, stage)
            partial = stack.enter_context(files.replacing(path))
            if keep and path.is_dir():
                shutil.copytree(path, partial)
            partial.mkdir(parents=True, exist_ok=True)
            parts.append(partial)
        models, reports, predicted = parts
        yield StageFolders(models, reports, predicted)


def _store_candidate(
    stage: str,
    name: str,
    problem: Problem,
    model: Fitted,
    outputs: CandidateOutputs,
    scores: dict[str, Any],
    importance: dict[str, float],
    folders: StageFolders,
) -> Candidate:
    """Write a model and its figures; return what the stage's JSON file holds of it."""
    parameters = _recorded_parameters(outputs)
    saved = storage.save(
        model,
        _emptied(folders.models / name),
        _metadata(stage, name, problem, parameters, scores),
    )
    walks = monotone.proven(storage.load(folders.models / name), problem.X_test, problem.X)
    _draw(_emptied(folders.reports / name), name, problem, model, outputs, importance)
    content = {
        "stage": stage,
        "params": parameters,
        **scores,
        "model_sha256": saved["model_sha256"],
        "importance": assessment.most_important(importance),
    }
    if walks:
        content["monotone"] = {column: asdict(one) for column, one in walks.items()}
    return cast(Candidate, content)


def _recorded_parameters(outputs: CandidateOutputs) -> dict[str, Any]:
    """Return the candidate's parameters, and what makes the fit repeatable."""
    estimator = getattr(outputs.model, "estimator", None)  # a blend has several
    seed = getattr(estimator, "random_state", None)
    return {"model_type": outputs.model.spec.name, **outputs.parameters, "random_state": seed}


def _metadata(
    stage: str, name: str, problem: Problem, parameters: dict[str, Any], scores: dict[str, Any]
) -> dict[str, Any]:
    """Return what a stored model's metadata.json says of its training."""
    place = paths.models(problem.dataset, stage) / name
    return {
        "dataset": problem.dataset,
        "stage": stage,
        "candidate": name,
        "params": parameters,
        "synthetic": problem.synthetic,
        "data_hash": problem.data_hash,
        "split_hash": problem.split_hash,
        "rows": {"train": len(problem.X), "test": len(problem.X_test)},
        "metrics": {part: scores[part] for part in ("cv", "cv_oof", "train", "test")},
        "how_to_load": HOW_TO_LOAD.format(folder=place.as_posix()),
    }


def _emptied(folder: Path) -> Path:
    """Return the folder with nothing in it: the candidate's last run may have left something."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _draw(
    folder: Path,
    name: str,
    problem: Problem,
    model: Fitted,
    outputs: CandidateOutputs,
    importance: dict[str, float],
) -> None:
    """Write the figures of one candidate."""
    seen = problem.fold >= 0
    test = Part("test", problem.y_test, outputs.test)
    oof = Part("out of fold", problem.y[seen], outputs.out_of_fold[seen])
    decisions = None
    if problem.classes:
        decisions = thresholds.decide(outputs.test, model.spec.rule)
    title = f"{name} on {problem.dataset}{' (synthetic data)' if problem.synthetic else ''}"
    figures.draw_candidate(
        folder, title, importance, problem.primary_metric, test, oof, decisions, problem.classes
    )


def _write_predictions(problem: Problem, fitted: dict[str, CandidateOutputs], folder: Path) -> None:
    """Write the files of predictions, with what they hold of kept candidates."""
    for part in predictions.PARTS:
        columns = predictions.read_columns(folder, part)
        for name, outputs in fitted.items():
            columns |= predictions.as_columns(name, outputs.of_part(part), problem.classes)
        predictions.write_columns(folder, part, problem, columns)


def _explain_best(
    problem: Problem,
    candidates: dict[str, Candidate],
    models: dict[str, Fitted],
    folder: Path,
) -> None:
    """Put Shapley values into the best candidate; into that alone, as they take long."""
    for candidate in candidates.values():
        candidate.pop("shap", None)
    best = best_candidate(candidates, problem.primary_metric)
    model = models.get(best) or storage.load(folder / best)
    candidates[best]["shap"] = assessment.contributions(problem, model)


def _write_seconds(
    dataset: str,
    stage: str,
    seconds: dict[str, float],
    candidates: dict[str, Candidate],
    keep: bool,
) -> None:
    """Write the seconds that each candidate takes to predict a row, with those known of others."""
    path = paths.timings(dataset, f"{stage}_predict")
    known: dict[str, float] = {}
    if keep and path.is_file():
        known = files.read_json(path, made_by=stage)
    known |= seconds
    files.write_json(path, {name: known[name] for name in candidates if name in known})
