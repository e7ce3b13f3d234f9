"""A stage's candidates: fitted on all rows and on each fold, scored, and on disk with their figures and predictions."""

import shutil
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import files, models, paths, plots, scoring, tables
from pipeline.errors import PipelineError, UsageError
from pipeline.params import Params
from pipeline.problem import Problem

IMPORTANCE_ROWS = 1000      # of the test split that are shuffled for the importances
HOW_TO_LOAD = "from pipeline import models; models.load({folder!r}).predict(frame)"


Recipe = tuple[dict, dict]              # the spec of a model and its hyperparameters
ALL_ROWS = None                         # in the place of a fold


def fit(problem: Problem, recipes: dict[str, Recipe], wanted: list[tuple], resampling: str, seed: int, run, step) -> tuple:
    """Fit candidates, for each (name, fold) that is wanted, on what the fold fits or on ALL_ROWS.

    Return {(name, fold): (model, output)}, the output on the rows that the fold predicts or on the test split, and {(name, fold):
    seconds}. `run` is that of workers.pool; `step` is called after each fit.
    """
    jobs = [(name, *recipes[name], fold, resampling, seed) for name, fold in wanted]
    done = run(_fit, problem, jobs, lambda place, result: step())
    return {key: result[:2] for key, result in zip(wanted, done)}, {key: result[2] for key, result in zip(wanted, done)}


def _fit(problem: Problem, name: str, spec: dict, hyperparameters: dict, fold: int | None, resampling: str, seed: int) -> tuple:
    started = time.perf_counter()
    X, y, X_new = problem.X, problem.y, problem.X_test
    if fold is not ALL_ROWS:
        rows, new = problem.folds[fold]
        X, y, X_new = X.iloc[rows], y[rows], X.iloc[new]
    try:
        model = models.fit(spec, hyperparameters, X, y, seed, resampling)
    except PipelineError:
        raise
    except Exception as error:              # each library raises errors of its own for a setting that it refuses
        raise UsageError(f"{paths.PARAMS}: {name} cannot be fitted with {hyperparameters}: {error}") from error
    return model, model.output(X_new), time.perf_counter() - started


def out_of_fold(problem: Problem, name: str, fitted: dict) -> np.ndarray:
    """Return what the folds' fits of a candidate predict, each for its own rows; nan where no fold predicts."""
    output = np.full((len(problem.X), *fitted[name, 0][1].shape[1:]), np.nan)
    for fold, (_, predict) in enumerate(problem.folds):
        output[predict] = fitted[name, fold][1]
    return output


def write(stage: str, problem: Problem, settings: Params, fitted: dict, hyperparameters: dict, standing: dict,
          beside=None) -> dict:
    """Score and store fitted models; return {name: scores} of them and the `standing` ones.

    `fitted` is {name: (model, out-of-fold output, test output)}. The stage's folders of models, figures and predictions are
    replaced as a whole, what belongs to a standing candidate is carried over; beside(model_folder, report_folder) may add files.
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
        if beside:
            beside(model_folder, report_folder)
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


def _recorded(model: models.Fitted, hyperparameters: dict) -> dict:
    """Return the parameters that are recorded: the user's, and what makes the fit repeatable."""
    seed = getattr(getattr(model, "estimator", None), "random_state", None)
    return {"model_type": model.spec["name"], **hyperparameters, "random_state": seed}


def _score(problem: Problem, model: models.Fitted, oof: np.ndarray, test_output: np.ndarray, settings: Params):
    """Return the candidate's scores, and the model with the decision threshold that its out-of-fold output gives."""
    scores = scoring.candidate(problem.task, problem.y, oof, problem.fold, model.output(problem.X), problem.y_test, test_output,
                               problem.classes, settings.dataset(problem.dataset).train.threshold_metric, settings.seed)
    return scores, replace(model, spec={**model.spec, "threshold": scores.get("threshold")})


def _draw(folder: Path, name: str, problem: Problem, model: models.Fitted, oof: np.ndarray, test_output: np.ndarray,
          settings: Params) -> None:
    metric = settings.dataset(problem.dataset).train.primary_metric
    rows = np.sort(np.random.default_rng(settings.seed).permutation(len(problem.X_test))[:IMPORTANCE_ROWS])
    importance = scoring.permutation_importance(
        problem.task, model.estimator_output, model.transform(problem.X_test.iloc[rows]), model.columns(), problem.y_test[rows],
        metric, settings.seed)
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
