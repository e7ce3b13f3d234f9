"""The candidates that stand: what training and tuning left in their metrics, of the data that are there now."""

import shutil
import time
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.data.quality import statistics
from pipeline.models import catalogue, storage
from pipeline.models.fitted import Fitted
from pipeline.project import files, paths, rounding
from pipeline.project.errors import DataError
from pipeline.project.params import Params
from pipeline.scoring import choice, thresholds
from pipeline.scoring.rows import OutOfFold, Rows
from pipeline.scoring.scores import candidate_scores
from pipeline.training import explanations, figures
from pipeline.training.predictions import prediction_columns, read_predictions, write_predictions
from pipeline.training.problem import Problem

STAGES = ("train", "tune")  # whose metrics hold candidates
SHARED = ("split_hash", "seed", "primary_metric", "cv_folds")  # what makes figures comparable


def read_candidates(dataset: str) -> tuple[dict, dict]:
    """Return train's figures of a dataset and {name: candidate} over all stages; tuning may not have run yet.

    Raises DataError where a stage's candidates are of other data than the prepared ones, or scored otherwise than train's.
    """
    quality = files.read_json(
        paths.metrics(dataset, "quality"), made_by=f"python prepare_data.py --dataset {dataset}"
    )
    trained = files.read_json(
        paths.metrics(dataset, "train"), made_by=f"python train.py --dataset {dataset}"
    )
    if trained["split_hash"] != quality["split_hash"]:
        raise DataError(
            f"{paths.metrics(dataset, 'train')}: its models are of other data than {paths.processed(dataset)}; "
            f"run `python train.py --dataset {dataset}`, or `dvc repro`"
        )
    candidates = dict(trained["candidates"])
    path = paths.metrics(dataset, "tune")
    if path.is_file():
        tuned = files.read_json(path, made_by=f"python tune_hyperparameters.py --dataset {dataset}")
        if any(tuned[key] != trained[key] for key in SHARED):
            raise DataError(
                f"{path}: its models are of other data or settings than train's; run "
                f"`python tune_hyperparameters.py --dataset {dataset}`, or `dvc repro`"
            )
        candidates |= tuned["candidates"]
    return trained, candidates


IMPORTANCE_ROWS = 1000  # of the test split that are shuffled for the importances
BACKGROUND_ROWS = 200  # of the training split that Shapley values start from
MOST_COLUMNS = 20  # whose importance is written
HOW_TO_LOAD = "from pipeline.models import storage; storage.load({folder!r}).predict(frame)"


def write_results(
    stage: str,
    problem: Problem,
    settings: Params,
    fitted: dict,
    hyperparameters: dict,
    standing: dict,
    beside=None,
) -> dict:
    """Score and store fitted models; return {name: scores} of them and the `standing` ones.

    `fitted` is {name: (model, out-of-fold output, test output)}. The stage's folders of models, figures and predictions are
    replaced as a whole, what belongs to a standing candidate is carried over; beside(model_folder, report_folder) may add files.
    How long each takes to predict a row lies outside DVC, with the other durations.
    """
    results, stored = dict(standing), {}
    seconds_path = paths.timings(problem.dataset, f"{stage}_predict")
    seconds = (
        files.read_json(seconds_path, made_by=stage) if standing and seconds_path.is_file() else {}
    )
    with ExitStack() as stack:
        model_folder, report_folder, prediction_folder = (
            _folder(stack, place(problem.dataset, stage), keep=bool(standing))
            for place in (paths.models, paths.reports, paths.predictions)
        )
        files.write_json(model_folder / "train_stats.json", statistics(problem.X))
        predictions = {
            split: read_predictions(prediction_folder / f"{split}.parquet")
            for split in ("oof", "test")
        }
        for name, (model, oof, test_output) in fitted.items():
            started = time.perf_counter()
            train_output = model.output(problem.X)
            seconds[name] = (time.perf_counter() - started) / len(problem.X)
            results[name], decided = _score(
                problem, model, oof, train_output, test_output, settings
            )
            results[name] = {
                "stage": stage,
                "params": _recorded(model, hyperparameters[name]),
                **results[name],
            }
            metadata = {
                "dataset": problem.dataset,
                "stage": stage,
                "candidate": name,
                "params": results[name]["params"],
                "synthetic": problem.synthetic,
                "data_hash": problem.data_hash,
                "split_hash": problem.split_hash,
                "rows": {"train": len(problem.X), "test": len(problem.X_test)},
                "metrics": {
                    part: results[name][part] for part in ("cv", "cv_oof", "train", "test")
                },
                "how_to_load": HOW_TO_LOAD.format(
                    folder=(paths.models(problem.dataset, stage) / name).as_posix()
                ),
            }
            folder = _emptied(model_folder / name)
            results[name]["model_sha256"] = storage.save(decided, folder, metadata)["model_sha256"]
            importance = _importance(problem, decided, settings)
            weightiest = sorted(
                importance, key=lambda column: (-np.nan_to_num(importance[column]), column)
            )[:MOST_COLUMNS]
            results[name]["importance"] = {
                column: rounding.significant(importance[column]) for column in weightiest
            }
            _draw(
                _emptied(report_folder / name),
                name,
                problem,
                decided,
                importance,
                oof,
                test_output,
                settings,
            )
            stored[name] = decided
            predictions["oof"] |= prediction_columns(name, oof, problem.classes)
            predictions["test"] |= prediction_columns(name, test_output, problem.classes)
        write_predictions(
            prediction_folder / "oof.parquet",
            problem.X.index,
            problem.y,
            problem,
            predictions["oof"],
        )
        write_predictions(
            prediction_folder / "test.parquet",
            problem.X_test.index,
            problem.y_test,
            problem,
            predictions["test"],
        )
        best = choice.best_candidate(
            results,
            settings.dataset(problem.dataset).train.primary_metric,
            catalogue.SIMPLEST_FIRST,
        )
        for name in results:  # of the stage's best alone: they take long
            results[name].pop("shap", None)
        results[best]["shap"] = _shapley(
            problem, stored.get(best) or storage.load(model_folder / best), settings
        )
        if beside:
            beside(model_folder, report_folder)
    files.write_json(seconds_path, {name: seconds[name] for name in results if name in seconds})
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


def _recorded(model: Fitted, hyperparameters: dict) -> dict:
    """Return the parameters that are recorded: the user's, and what makes the fit repeatable."""
    seed = getattr(getattr(model, "estimator", None), "random_state", None)
    return {"model_type": model.spec.name, **hyperparameters, "random_state": seed}


def _score(
    problem: Problem,
    model: Fitted,
    oof: np.ndarray,
    train_output: np.ndarray,
    test_output: np.ndarray,
    settings: Params,
):
    """Return the candidate's scores, and the model with the decision threshold that its out-of-fold output gives."""
    scores = candidate_scores(
        OutOfFold(problem.y, oof, problem.fold),
        train=Rows(problem.y, train_output),
        test=Rows(problem.y_test, test_output),
        classes=problem.classes,
        threshold_metric=settings.dataset(problem.dataset).train.threshold_metric,
        seed=settings.seed,
    )
    return scores.as_json(), replace(model, spec=replace(model.spec, threshold=scores.threshold))


def _importance(problem: Problem, model: Fitted, settings: Params) -> dict[str, float]:
    rows = _rows_of_every_class(problem, IMPORTANCE_ROWS, settings.seed)
    return explanations.permutation_importance(
        problem.task,
        model.estimator_output,
        model.transform(problem.X_test.iloc[rows]),
        model.columns(),
        problem.y_test[rows],
        settings.dataset(problem.dataset).train.primary_metric,
        settings.seed,
    )


def _rows_of_every_class(problem: Problem, most: int, seed: int) -> np.ndarray:
    """Return the places of test rows, drawn from each class in turn: without its rows a rare class has no score to lose."""
    order = np.random.default_rng(seed).permutation(len(problem.X_test))
    if problem.classes:
        turn = pd.Series(problem.y_test[order]).groupby(problem.y_test[order]).cumcount()
        order = order[np.argsort(turn, kind="stable")]
    return np.sort(order[:most])


def _shapley(problem: Problem, model: Fitted, settings: Params) -> dict:
    """Return what each column adds to the model's output on rows of the test split: probabilities, or the target's own unit."""
    rng, owners = np.random.default_rng(settings.seed), model.columns()
    rows, background = (
        np.sort(rng.permutation(len(X))[:most])
        for X, most in (
            (problem.X_test, explanations.rows_to_explain(len(set(owners)), len(problem.X_test))),
            (problem.X, BACKGROUND_ROWS),
        )
    )

    def output(Z):
        put_out = model.estimator_output(Z)
        return put_out[:, 1] if put_out.ndim == 2 and put_out.shape[1] == 2 else put_out

    X = problem.X_test.iloc[rows]
    contributions = explanations.shapley(
        output,
        model.transform(X),
        owners,
        model.transform(problem.X.iloc[background]),
        settings.seed,
    )
    of_class = f" of {problem.classes[1]}" if problem.classes and len(problem.classes) == 2 else ""
    return {
        "rows": len(rows),
        "unit": f"probability{of_class}" if problem.classes else problem.target,
        "columns": explanations.summary(
            contributions, X, list(dict.fromkeys(owners)), MOST_COLUMNS
        ),
    }


def _draw(
    folder: Path,
    name: str,
    problem: Problem,
    model: Fitted,
    importance: dict[str, float],
    oof: np.ndarray,
    test_output: np.ndarray,
    settings: Params,
) -> None:
    seen = problem.fold >= 0
    parts = {"test": (problem.y_test, test_output), "out of fold": (problem.y[seen], oof[seen])}
    decisions = thresholds.decide(test_output, model.spec.threshold) if problem.classes else None
    title = f"{name} on {problem.dataset}{' (synthetic data)' * problem.synthetic}"
    figures.draw_candidate(
        folder,
        title,
        importance,
        settings.dataset(problem.dataset).train.primary_metric,
        parts,
        decisions,
        problem.classes,
    )
