"""The report of a search: its table of trials, its counts, and its figures, which Optuna draws.

Each figure is an interactive page and a PNG file; the pages share one plotly.min.js beside them, so
that they open without a network.
"""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup

from pipeline.project import figure_page, files
from pipeline.project.figure_page import FigurePage, Link
from pipeline.project.rounding import number_text, significant
from pipeline.scoring import metrics
from pipeline.training import figures
from pipeline.training.results.content import ParetoFront, TrialCounts
from pipeline.tuning import optuna_study
from pipeline.tuning.optuna_study import Study
from pipeline.tuning.trials import (
    BASELINE,
    FAILED,
    FINISHED,
    PRUNED,
    Plan,
    Trial,
    best_trial,
    finished,
)

FLATTERED = (
    "The search chose by these folds, which flatters it; the model comparison has what the test "
    "rows say of it."
)
LEAST_TRIALS = 4  # finished ones of a model, below which there is nothing to compare


def trials_table(trials: list[Trial]) -> str:
    """Return the trials as CSV: what was tried, the folds' scores and what became of it."""
    n_folds = max((len(trial.folds) for trial in trials), default=0)
    rows = [_table_row(trial, n_folds) for trial in trials]
    return pd.DataFrame(rows).astype(object).to_csv(index=False, lineterminator="\n")


def _table_row(trial: Trial, n_folds: int) -> dict[str, Any]:
    row = {
        "trial": trial.number,
        "origin": trial.origin,
        "model": trial.model,
        "state": trial.state,
        "value": significant(trial.value),
    }
    for place in range(n_folds):
        known = place < len(trial.folds)
        row[f"fold_{place + 1}"] = significant(trial.folds[place]) if known else None
    if trial.cost is not None:
        row["cost"] = significant(trial.cost)
    row["reason"] = trial.reason
    for name, value in trial.settled().items():
        row[f"{trial.model}.{name}"] = value
    return row


def course(trials: list[Trial]) -> list[list[Any]]:
    """Return [number, model, value] of the finished trials, in order."""
    return [[trial.number, trial.model, significant(trial.value)] for trial in finished(trials)]


def counts(trials: list[Trial]) -> TrialCounts:
    """Return how many trials came to which end, and why the failed ones did."""
    states = [trial.state for trial in trials]
    reasons = [str(trial.reason) for trial in trials if trial.state == FAILED]
    return {
        "total": len(trials),
        "finished": states.count(FINISHED),
        "pruned": states.count(PRUNED),
        "failed": states.count(FAILED),
        "reasons": {reason: reasons.count(reason) for reason in sorted(set(reasons))},
    }


def pareto(study: Study, trials: list[Trial], plan: Plan) -> ParetoFront:
    """Return the trials that no other beats in both objectives, and how the winner is picked.

    Nothing where there is one objective.
    """
    if plan.cost is None:
        return {}
    by_number = {trial.number: trial for trial in trials}
    front = [by_number[number] for number in optuna_study.pareto_front(study)]
    front.sort(key=lambda trial: (trial.cost, trial.number))
    rows = [
        {
            "trial": trial.number,
            "model": trial.model,
            "value": significant(trial.value),
            plan.cost: significant(trial.cost),
        }
        for trial in front
    ]
    tolerance = f"{100 * plan.tune.tolerance:.3g} %"
    return {"pareto": rows, "picked": f"least {plan.cost} within {tolerance} of the best metric"}


@dataclass(frozen=True)
class Outcome:
    """What a search came to in a few words, their colour on the pages, and what they rest on."""

    words: str
    colour: str
    why: str


@dataclass(frozen=True)
class Top:
    """What stands on top of every page of a study: of what it is, what it came to, links back."""

    title: str
    outcome: Outcome | None = None
    back: tuple[Link, ...] = ()

    def about(self, what: str) -> "Top":
        """Return the top of the page on one thing."""
        return replace(self, title=f"{self.title}: {what}")


def outcome(trials: list[Trial], metric: str) -> Outcome:
    """Return whether the best trial is better than its model with the settings of params.yaml.

    The search chose by the folds, so that this flatters it; the test rows have their say in the
    comparison.
    """
    best = best_trial(trials, metric)
    assert best is not None  # a search without one is an error
    cv = f"{best.model}, trial {best.number}: cv {metric} {number_text(best.score)}"
    baselines = [one for one in finished(trials) if one.origin == BASELINE]
    own = [one.score for one in baselines if one.model == best.model]
    if not own:
        return Outcome(f"best: {best.model}", "watch", f"{cv}.")
    than = f"{number_text(own[0])} with the settings of params.yaml"
    if not metrics.is_better(metric, best.score, own[0]):
        return Outcome("no better than before", "watch", f"{cv}, against {than}.")
    return Outcome("better on the folds", "info", f"{cv}, against {than}.")


def draw(folder: Path, study: Study, plan: Plan, metric: str, top: Top) -> None:
    """Write the figures of a study.

    These are its history, and for each model parallel coordinates and importances; with two
    objectives its Pareto front alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {"target_name": metric}
    if plan.cost is not None:
        options = {"target_names": [metric, plan.cost]}
        top = top.about("Pareto front")
        _draw_both(folder, "pareto_front", "plot_pareto_front", study, top, options)
        return
    history = top.about("history")
    _draw_both(folder, "history", "plot_optimization_history", study, history, options)
    done = _finished(study)
    for model in sorted({trial.params["model"] for trial in done}):
        of_model = [trial for trial in done if trial.params["model"] == model]
        _draw_model(folder, study, model, of_model, metric, top)


def _finished(study: Study) -> list[Any]:
    """Return Optuna's own finished trials."""
    import optuna

    states = (optuna.trial.TrialState.COMPLETE,)
    return study.get_trials(deepcopy=False, states=states)


def _draw_model(
    folder: Path, study: Study, model: str, done: list[Any], metric: str, top: Top
) -> None:
    """Write the figures of one model's finished trials, where there is something to compare."""
    import optuna

    placed = [trial for trial in done if len(trial.params) > 1]
    names = _varied(placed)
    if len(placed) < LEAST_TRIALS or not names:
        return
    part = optuna.create_study(direction=study.direction)
    part.add_trials(placed)
    options = {"params": names, "target_name": metric}
    _draw_both(
        folder,
        f"parallel_coordinates_{model}",
        "plot_parallel_coordinate",
        part,
        top.about(f"what was tried of {model}"),
        options,
        labels=[metric, *names],
    )
    if len({trial.value for trial in placed}) > 1:
        _draw_both(
            folder,
            f"importances_{model}",
            "plot_param_importances",
            part,
            top.about(f"what mattered to {model}"),
            options,
        )


def _varied(trials: list[Any]) -> list[str]:
    """Return the hyperparameters that took several values: a single one shows nothing."""
    values: dict[str, set[Any]] = {}
    for trial in trials:
        for name in trial.params:
            values[name] = {other.params.get(name) for other in trials}
    return sorted(name for name in values if len(values[name]) > 1)


def _draw_both(
    folder: Path,
    name: str,
    function: str,
    study: Study,
    top: Top,
    options: dict[str, Any],
    labels: Sequence[str] = (),
) -> None:
    """Write one figure as a page and as PNG.

    `labels` are those of parallel coordinates, which Optuna cuts after 17 characters.
    """
    import optuna

    with warnings.catch_warnings():  # that the functions with matplotlib are experimental
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        figure = getattr(optuna.visualization, function)(study, **options)
        if labels:
            figure.update_xaxes(ticktext=labels)
            for line in figure.data:  # what a pointer on a trial shows, by dimension
                shown = zip(labels, line.customdata or ())
                line.customdata = [[label, value] for label, (_, value) in shown]
        _write_page(folder, name, top, figure)
        _write_png(folder, name, function, study, top.title, options, labels)


def _write_page(folder: Path, name: str, top: Top, figure: Any) -> None:
    body = Markup("<h1>{}</h1>\n").format(top.title)
    if top.outcome is not None:
        verdict = '<p class="verdict {}">{}</p>\n<p>{} {}</p>\n'
        body += Markup(verdict).format(
            top.outcome.colour, top.outcome.words, top.outcome.why, FLATTERED
        )
    body += Markup('<div data-figure="{}"></div>').format(name)
    page = FigurePage(top.title, body, {name: json.loads(figure.to_json())}, top.back)
    files.write_text(folder / f"{name}.html", figure_page.html(page, plotly_beside=True))
    program = folder / figure_page.PLOTLY_FILE
    if not program.is_file():
        files.write_text(program, figure_page.plotly_program())


def _write_png(
    folder: Path,
    name: str,
    function: str,
    study: Study,
    title: str,
    options: dict[str, Any],
    labels: Sequence[str],
) -> None:
    import matplotlib
    import optuna

    matplotlib.use("agg")
    from matplotlib import pyplot

    with matplotlib.rc_context():  # Optuna sets a style
        axes = getattr(optuna.visualization.matplotlib, function)(study, **options)
        axes.set_title(title)
        axes.figure.set_size_inches(9, 5)
        if labels:
            axes.set_xticklabels(labels, rotation=330)
        matplotlib.rcParams["savefig.bbox"] = "tight"  # room for the names of hyperparameters
        figures.save(axes.figure, folder / f"{name}.png")
        pyplot.close(axes.figure)
