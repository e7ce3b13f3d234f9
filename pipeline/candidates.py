"""A stage's candidates on disk: each fitted model with its scores, figures and predictions."""

import shutil
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import features, files, models, paths, plots, scoring, tables
from pipeline.params import Params
from pipeline.problem import Problem

IMPORTANCE_ROWS = 1000      # of the test split that are shuffled for the importances
HOW_TO_LOAD = "from pipeline import models; models.load({folder!r}).predict(frame)"


def write(stage: str, problem: Problem, settings: Params, fitted: dict, hyperparameters: dict, standing: dict) -> dict:
    """Score and store fitted models; return {name: scores} in the order of `hyperparameters`, `standing` ones included.

    `fitted` is {name: (model, out-of-fold output, test output)}. The stage's folders of models, figures and predictions are
    replaced as a whole, what belongs to a standing candidate is carried over.
    """
    results = dict(standing)
    with ExitStack() as stack:
        model_folder, report_folder, prediction_folder = (
            _folder(stack, place(problem.dataset, stage), keep=bool(standing))
            for place in (paths.models, paths.reports, paths.predictions))
        files.write_json(model_folder / "train_stats.json", tables.statistics(problem.X))
        predictions = {split: _read_predictions(prediction_folder / f"{split}.parquet") for split in ("oof", "test")}
        for name, (model, oof, test_output) in fitted.items():
            results[name], decided = _score(problem, model, oof, test_output, settings)
            results[name] = {"stage": stage, "params": _recorded(model, hyperparameters[name]), **results[name]}
            metadata = {"dataset": problem.dataset, "stage": stage, "candidate": name, "params": results[name]["params"],
                        "synthetic": problem.synthetic, "data_hash": problem.data_hash, "split_hash": problem.split_hash,
                        "rows": {"train": len(problem.X), "test": len(problem.X_test)},
                        "metrics": {part: results[name][part] for part in ("cv", "cv_oof", "train", "test")},
                        "how_to_load": HOW_TO_LOAD.format(folder=(paths.models(problem.dataset, stage) / name).as_posix())}
            folder = _emptied(model_folder / name)
            results[name]["model_sha256"] = models.save(decided, folder, metadata)["model_sha256"]
            _draw(_emptied(report_folder / name), name, problem, decided, oof, test_output, settings)
            predictions["oof"] |= _columns(name, oof, problem.classes)
            predictions["test"] |= _columns(name, test_output, problem.classes)
        _write_predictions(prediction_folder / "oof.parquet", problem.X.index, problem.y, problem, predictions["oof"])
        _write_predictions(prediction_folder / "test.parquet", problem.X_test.index, problem.y_test, problem, predictions["test"])
    return results


def _folder(stack: ExitStack, path: Path, keep: bool) -> Path:
    """Return a folder that will replace `path`, with what is there now if that is to be kept."""
    partial = stack.enter_context(files.replacing(path))
    if keep and path.is_dir():
        shutil.copytree(path, partial)
    partial.mkdir(parents=True, exist_ok=True)
    return partial


def _emptied(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def _recorded(model: models.Model, hyperparameters: dict) -> dict:
    """Return the parameters that are recorded: the user's, and what makes the fit repeatable."""
    return {"model_type": model.spec["name"], **hyperparameters, "random_state": getattr(model.estimator, "random_state", None)}


def _score(problem: Problem, model: models.Model, oof: np.ndarray, test_output: np.ndarray, settings: Params):
    """Return the candidate's scores, and the model with the decision threshold that its out-of-fold output gives."""
    scores = scoring.candidate(problem.task, problem.y, oof, problem.fold, model.output(problem.X), problem.y_test, test_output,
                               problem.classes, settings.dataset(problem.dataset).train.threshold_metric, settings.seed)
    spec = {**model.spec, "threshold": scores.get("threshold")}
    return scores, models.Model(model.preprocessing, model.estimator, spec)


def _draw(folder: Path, name: str, problem: Problem, model: models.Model, oof: np.ndarray, test_output: np.ndarray,
          settings: Params) -> None:
    metric = settings.dataset(problem.dataset).train.primary_metric
    rows = np.sort(np.random.default_rng(settings.seed).permutation(len(problem.X_test))[:IMPORTANCE_ROWS])
    importance = scoring.permutation_importance(
        problem.task, model.estimator_output, model.preprocessing.transform(problem.X_test.iloc[rows]),
        features.output_columns(model.preprocessing), problem.y_test[rows], metric, settings.seed)
    seen = problem.fold >= 0
    parts = {"test": (problem.y_test, test_output), "out of fold": (problem.y[seen], oof[seen])}
    decisions = models.decide(test_output, model.spec["threshold"]) if problem.classes else None
    title = f"{name} on {problem.dataset}{' (synthetic data)' * problem.synthetic}"
    plots.draw_candidate(folder, title, importance, metric, parts, decisions, problem.classes)


def _columns(name: str, output: np.ndarray, classes: list[str] | None) -> dict[str, np.ndarray]:
    if classes is None:
        return {name: output}
    return {f"{name}__{label}": output[:, number] for number, label in enumerate(classes)}


def _read_predictions(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    frame = pd.read_parquet(path)
    return {column: frame[column].to_numpy() for column in frame.columns.drop(["target", "fold"], errors="ignore")}


def _write_predictions(path: Path, rows: pd.Index, y: np.ndarray, problem: Problem, columns: dict[str, np.ndarray]) -> None:
    target = y if problem.classes is None else np.array(problem.classes)[y]
    known = {"target": target} | ({"fold": problem.fold} if path.stem == "oof" else {})
    pd.DataFrame(known | columns, index=rows).to_parquet(path, compression="zstd")
