"""The search for hyperparameters: an Optuna study of one dataset that gives the same trials whatever the workers, kept on disk.

Trials are asked and told in batches, so that what the sampler and the pruner know does not depend on who was done first. The
journal holds whole batches; what each fold of a trial predicted lies beside it. A search that was killed asks its last batch
again, gets the same trials, since the sampler is seeded anew for each, and finds their folds done.
"""

import math
import re
import threading
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipeline import boosters, models, paths, scoring
from pipeline.errors import UsageError
from pipeline.journal import Journal, fit_file, read_fit, write_fit
from pipeline.params import Params, SearchSpace
from pipeline.problem import Problem, stopping_slices

STARTUP_TRIALS = 10         # that are drawn at random, the baseline and the portfolio counted in
UNPRUNED_TRIALS = 5         # that are finished before the first one is pruned
PRUNING_POINTS = 3          # a trial may be pruned after each of its first so many folds
LATENCY_REPEATS = 21
LONGEST_REASON = 200
DIFFERING = (r"\[\d\d:\d\d:\d\d\] ", r" at 0x[0-9a-fA-F]+",           # times and addresses
             r"(?<![\w.:/])([A-Za-z]:)?([\\/][^\s\\/'\":]+)+[\\/](?=\w)")         # folders
TARGET_TRANSFORM = "target_transform"       # is chosen as a hyperparameter is, and handed to the model's spec


@dataclass
class Trial:
    """One choice of a model and its hyperparameters, and what became of it."""

    number: int
    origin: str                             # baseline | portfolio | search
    model: str
    hyperparameters: dict
    early_stopping: bool                    # whether its rounds are to be found; otherwise it is fitted as it stands
    state: str = "running"                  # finished | pruned | failed
    value: float | None = None              # mean of the primary metric over the folds
    folds: list[float] = field(default_factory=list)
    rounds: list[int] = field(default_factory=list)
    cost: float | None = None               # bytes or seconds, where they are an objective; mean over the folds
    reason: str | None = None               # of a failure
    seconds: float = 0.0
    fits: list[dict] = field(default_factory=list)

    def settled(self) -> dict:
        """Return the hyperparameters for a fit on all rows, a booster's rounds being the median over the folds."""
        if not self.rounds:
            return self.hyperparameters
        return {**self.hyperparameters, boosters.ROUNDS[self.model]: int(np.median(self.rounds))}

    def oof(self, problem: Problem) -> np.ndarray:
        """Return its out-of-fold output; nan where no fold predicts."""
        output = np.full((len(problem.X), *self.fits[0]["output"].shape[1:]), np.nan)
        for (_, predict), fit in zip(problem.folds, self.fits):
            output[predict] = fit["output"]
        return output


class Folds:
    """The folds of a problem, each preprocessed and binned once, for all trials that fit on them at a time."""

    def __init__(self, problem: Problem, settings: Params):
        spec = settings.dataset(problem.dataset)
        self.problem, self.seed = problem, settings.seed
        self.resampling, self.patience = spec.train.resampling, spec.tune.patience
        self.cost = spec.tune.objectives[1] if len(spec.tune.objectives) > 1 else None
        self.slices = stopping_slices(problem, settings, spec.tune.stopping_share)
        self._start()

    def _start(self) -> None:
        self._made, self._locks, self._lock = {}, {}, threading.Lock()

    def __getstate__(self) -> dict:         # a worker elsewhere gets the rows and makes its own tables
        return {key: value for key, value in self.__dict__.items() if not key.startswith("_")}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
        self._start()

    def _once(self, key: tuple, make):
        with self._lock:
            lock = self._locks.setdefault(key, threading.Lock())
        with lock:
            if key not in self._made:
                self._made[key] = make()
            return self._made[key]

    def fit(self, fold: int, model: str, hyperparameters: dict, early_stopping: bool) -> tuple:
        """Return a model fitted on a fold's rows, its output on those that the fold predicts, and the rounds that were found."""
        hyperparameters = dict(hyperparameters)
        spec = self.problem.model_spec(model, hyperparameters.pop(TARGET_TRANSFORM, None))
        stops = early_stopping and self.slices[fold] is not None and boosters.can_stop(model, hyperparameters)
        rows = self.slices[fold][0] if stops else self.problem.folds[fold][0]
        X, y, transform = self.problem.X, self.problem.y, spec["target_transform"]

        def prepared():
            return models.prepare(spec, X.iloc[rows], y[rows], self.seed, self.resampling)

        encoding, rounds = models.FAMILIES[model].encoding, None
        if stops:
            stop = self.slices[fold][1]

            def binned():
                part = prepared()
                return boosters.binned(spec, hyperparameters, part, part.preprocessing.transform(X.iloc[stop]), y[stop])

            tables = self._once((fold, model, transform, boosters.binning(model, hyperparameters)), binned)
            fitted, rounds = boosters.fit(spec, hyperparameters, tables, y[rows], self.seed,
                                          hyperparameters[boosters.ROUNDS[model]], self.patience)
        else:
            part = self._once((fold, encoding, transform), prepared)
            fitted = models.fit_prepared(spec, hyperparameters, part, y[rows], self.seed)
        Z = self._once((fold, encoding, stops, "new"), lambda: fitted.transform(X.iloc[self.problem.folds[fold][1]]))
        return fitted, fitted.estimator_output(Z), rounds


def fit_fold(folds: Folds, fold: int, model: str, hyperparameters: dict, early_stopping: bool, until: float = math.inf) -> dict:
    """Return what a trial gives on one fold, or the reason why it gives nothing: each library has errors of its own.

    Nothing is begun after the moment `until`.
    """
    if time.time() > until:
        return {"late": True}
    started = time.perf_counter()
    try:
        fitted, output, rounds = folds.fit(fold, model, hyperparameters, early_stopping)
        cost = models.stored_size(fitted) if folds.cost == "size" else latency(folds, fitted) if folds.cost == "latency" else 0.0
    except Exception as error:
        return {"failed": f"{type(error).__name__}: {reason(str(error))}"}
    if not np.isfinite(output).all():
        return {"failed": "its predictions are not all finite"}
    return {"output": output, "rounds": rounds, "cost": cost, "seconds": time.perf_counter() - started}


def reason(message: str) -> str:
    """Return a library's error in one line, without times, addresses and folders, which differ from run to run."""
    line = " ".join(message.partition("Stack trace:")[0].split())
    for pattern in DIFFERING:
        line = re.sub(pattern, "", line)
    return line[:LONGEST_REASON]


def latency(folds: Folds, model: models.Model) -> float:
    """Return the seconds that a prediction of one preprocessed row takes, the median of some."""
    Z = model.transform(folds.problem.X.iloc[:1])
    taken = []
    for _ in range(LATENCY_REPEATS):
        started = time.perf_counter()
        model.estimator_output(Z)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken))


# what is tried

def given(problem: Problem, settings: Params) -> list[Trial]:
    """Return the trials that come before the search: each model as params.yaml has it, then the portfolio, models in turn."""
    chosen = settings.dataset(problem.dataset).tune.models
    trials = [Trial(0, "baseline", model, settings.hyperparameters(problem.dataset, model), False) for model in chosen]
    shelves = [settings.portfolio.get(model, []) for model in chosen]
    for place in range(max(map(len, shelves))):
        for model, shelf in zip(chosen, shelves):
            if place < len(shelf):
                base = {**settings.hyperparameters(problem.dataset, model), **shelf[place]}
                trials.append(Trial(0, "portfolio", model, _with_most_rounds(model, base, settings), True))
    for number, trial in enumerate(trials):
        trial.number = number
    return trials


def _with_most_rounds(model: str, hyperparameters: dict, settings: Params) -> dict:
    """Return a booster's hyperparameters with the most rounds of its search space; early stopping may take fewer."""
    rounds = boosters.ROUNDS.get(model)
    if not boosters.can_stop(model, hyperparameters):
        return hyperparameters
    space = settings.search_spaces[model].get(rounds)
    if space:
        most = max(space.choices) if space.choices else space.high
    else:
        most = hyperparameters.get(rounds, models.default(model, "regression", rounds))
    return {**hyperparameters, rounds: int(most)}


def searched(problem: Problem, settings: Params, model: str) -> dict[str, SearchSpace]:
    """Return the search space of one model, without what early stopping finds, with the target's transforms to choose from."""
    spec = settings.dataset(problem.dataset)
    space = dict(settings.search_spaces[model])
    if boosters.can_stop(model, settings.hyperparameters(problem.dataset, model)):
        space.pop(boosters.ROUNDS[model], None)
    if len(spec.tune.target_transforms) > 1:
        space[TARGET_TRANSFORM] = SearchSpace(choices=list(spec.tune.target_transforms))
    return space


def check(problem: Problem, settings: Params) -> None:
    """Raise UsageError where a search space or the portfolio names what the model does not have."""
    transforms = settings.dataset(problem.dataset).tune.target_transforms
    if "log1p" in transforms and problem.y.min() <= -1:
        raise UsageError(f"{paths.PARAMS}: datasets.{problem.dataset}.tune.target_transforms: log1p is not defined for "
                         f"{problem.y.min():g}; remove it")
    for model in settings.dataset(problem.dataset).tune.models:
        models.check(model, problem.task, settings.search_spaces[model], f"{paths.PARAMS}: search_spaces.{model}")
        for shelf in settings.portfolio.get(model, []):
            models.check(model, problem.task, shelf, f"{paths.PARAMS}: portfolio.{model}")


# the search

def search(problem: Problem, settings: Params, n_trials: int, run, folder: Path, step,
           timeout: float | None = None) -> tuple:
    """Return n_trials trials of the study in `folder`, those that it holds and those still to be done, and Optuna's study.

    `run` is that of workers.pool, `step(count, note)` is called as trials are done. With a timeout in seconds there may be fewer.
    """
    spec = settings.dataset(problem.dataset)
    journal = Journal(folder / "journal.log")
    held = min(journal.trials(), n_trials) // spec.tune.batch * spec.tune.batch
    journal.cut(held)
    study = _optuna_study(problem, settings, journal)
    folds, first = Folds(problem, settings), given(problem, settings)
    until = time.time() + timeout if timeout else math.inf
    trials = [_told(frozen) for frozen in study.get_trials(deepcopy=False)]
    if held:
        step(held, _note(trials, spec.train.primary_metric))
    while len(trials) < n_trials and time.time() < until:
        numbers = range(len(trials), min(n_trials, len(trials) + spec.tune.batch))
        asked = [_ask(study, problem, settings, number, first) for number in numbers]
        for part in _rounds(study, problem, settings):
            alive = [trial for trial, _ in asked if trial.state == "running"]
            _evaluate(alive, part, folds, run, folder, until)
            for trial, handle in asked:
                if trial.state == "running":
                    _judge(trial, handle, problem, settings, prune=part[-1] < len(problem.folds) - 1)
            if time.time() > until:
                break
        done = [(trial, handle) for trial, handle in asked if trial.state != "running"]
        for trial, handle in done:
            _tell(study, trial, handle)
            trials.append(trial)
        step(len(done), _note(trials, spec.train.primary_metric))
        if len(done) < len(asked):                      # the time is over
            break
        journal.commit()
    finished = [trial for trial in trials if trial.state == "finished"]
    _evaluate([trial for trial in finished if not trial.fits], range(len(problem.folds)), folds, run, folder)
    return trials, study


def _optuna_study(problem: Problem, settings: Params, journal: Journal):
    import optuna
    from optuna.storages import JournalStorage
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    spec, n_folds = settings.dataset(problem.dataset), len(problem.folds)
    pruner = _experimental({
        "median": lambda: optuna.pruners.MedianPruner(n_startup_trials=UNPRUNED_TRIALS),
        "wilcoxon": lambda: optuna.pruners.WilcoxonPruner(p_threshold=0.1, n_startup_steps=1),
        "hyperband": lambda: optuna.pruners.HyperbandPruner(min_resource=1, max_resource=n_folds),
        "none": optuna.pruners.NopPruner}[spec.tune.pruner])
    directions = ["minimize" if spec.train.primary_metric in scoring.LOWER_IS_BETTER else "maximize"]
    directions += ["minimize"] * (len(spec.tune.objectives) - 1)
    return optuna.create_study(study_name=problem.dataset, storage=JournalStorage(journal), directions=directions, pruner=pruner,
                               load_if_exists=True)


def _experimental(make, **options):
    """Return what Optuna makes, without its warning that the class or an option is experimental."""
    import optuna
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return make(**options)


def _ask(study, problem: Problem, settings: Params, number: int, first: list[Trial]):
    """Return the next trial and Optuna's handle of it; the sampler is seeded by its number, so that a rerun draws the same."""
    import optuna
    chosen = settings.dataset(problem.dataset).tune.models
    seed = int(np.random.SeedSequence([settings.seed, number]).generate_state(1)[0])
    study.sampler = _experimental(optuna.samplers.TPESampler, seed=seed, multivariate=True, group=True,
                                  n_startup_trials=STARTUP_TRIALS)
    trial = first[number] if number < len(first) else None
    point = _point(trial, problem, settings) if trial else None
    if point is not None:
        study.enqueue_trial(point)
    handle = study.ask()
    model = handle.suggest_categorical("model", chosen)
    if point is None or len(point) > 1:
        drawn = {name: _suggest(handle, f"{model}.{name}", space) for name, space in searched(problem, settings, model).items()}
    if trial is None:
        base = {**settings.hyperparameters(problem.dataset, model), **drawn}
        trial = Trial(number, "search", model, _with_most_rounds(model, base, settings), True)
    return trial, handle


def _point(trial: Trial, problem: Problem, settings: Params) -> dict:
    """Return where a given trial lies in the search space, so that the sampler learns from it: at the nearest point.

    Of a trial that has no place there, the sampler learns the model only.
    """
    point = {"model": trial.model}
    for name, space in searched(problem, settings, trial.model).items():
        value = trial.hyperparameters.get(name, models.default(trial.model, problem.task, name))
        if name == TARGET_TRANSFORM:
            value = trial.hyperparameters.get(name, problem.target_transform)
        if space.choices is None and isinstance(value, int | float) and not isinstance(value, bool):
            value = min(max(value, space.low), space.high)
        elif space.choices is None or value not in space.choices:
            return {"model": trial.model}
        point[f"{trial.model}.{name}"] = value
    return point


def _suggest(handle, name: str, space: SearchSpace):
    if space.choices is not None:
        return handle.suggest_categorical(name, space.choices)
    if isinstance(space.low, int) and isinstance(space.high, int):
        return handle.suggest_int(name, space.low, space.high, log=space.log, step=int(space.step or 1))
    return handle.suggest_float(name, space.low, space.high, log=space.log, step=space.step)


def _rounds(study, problem: Problem, settings: Params) -> list[list[int]]:
    """Return the folds in the parts that are done before the next look at what to prune."""
    import optuna
    every, pruner = list(range(len(problem.folds))), settings.dataset(problem.dataset).tune.pruner
    finished = len(study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,)))
    if pruner == "none" or pruner == "median" and finished < UNPRUNED_TRIALS or len(study.directions) > 1:
        return [every]
    return [[fold] for fold in every[:PRUNING_POINTS]] + [every[PRUNING_POINTS:]] * (len(every) > PRUNING_POINTS)


def _evaluate(trials: list[Trial], part, folds: Folds, run, folder: Path, until: float = math.inf) -> None:
    """Fit the trials on some folds, or read what an earlier process left of that.

    The costliest models start first, so that all workers end together; last where the time is limited, so that others get done.
    """
    jobs = []
    for trial in trials:
        for fold in part:
            known = read_fit(fit_file(folder, trial.number, fold), _known_by(trial))
            trial.fits.append(known)
            if known is None:
                jobs.append((trial, fold))
    simplicity = list(models.FAMILIES)
    jobs.sort(key=lambda job: simplicity.index(job[0].model), reverse=until == math.inf)

    def keep(place, fit):
        trial, fold = jobs[place]
        trial.fits[fold] = fit
        if "output" in fit:
            write_fit(fit_file(folder, trial.number, fold), fit, _known_by(trial))

    run(fit_fold, folds, [(fold, trial.model, trial.hyperparameters, trial.early_stopping, until) for trial, fold in jobs], keep)


def _known_by(trial: Trial) -> list:
    return [trial.model, trial.hyperparameters, trial.early_stopping]


def _judge(trial: Trial, handle, problem: Problem, settings: Params, prune: bool) -> None:
    """Score the folds that a trial has; say whether it failed, is pruned, or is finished, but not if some came too late."""
    if any("late" in fit for fit in trial.fits):
        return
    failed = [fit["failed"] for fit in trial.fits if "failed" in fit]
    if failed:
        trial.state, trial.reason, trial.fits = "failed", failed[0], []
        return
    train = settings.dataset(problem.dataset).train
    seen = np.where(problem.fold < len(trial.fits), problem.fold, -1)
    reported = len(trial.folds)
    trial.folds = scoring.fold_scores(problem.task, problem.y, trial.oof(problem), seen, train.primary_metric,
                                      train.threshold_metric)
    trial.rounds = [fit["rounds"] for fit in trial.fits if fit["rounds"]]
    trial.seconds = sum(fit["seconds"] for fit in trial.fits)
    several = len(settings.dataset(problem.dataset).tune.objectives) > 1
    trial.cost = float(np.mean([fit["cost"] for fit in trial.fits])) if several else None
    defined = [value for value in trial.folds if math.isfinite(value)]
    trial.value = float(np.mean(defined)) if defined else None
    paired = settings.dataset(problem.dataset).tune.pruner == "wilcoxon"        # compares fold by fold, others the mean so far
    if not several:                         # Optuna prunes by one objective only
        for place in range(reported, len(trial.folds)):
            handle.report(trial.folds[place] if paired else float(np.mean(trial.folds[:place + 1])), place)
    if not prune and defined:
        trial.state = "finished"
    elif not prune:
        trial.state, trial.reason = "failed", f"{train.primary_metric} is not defined on any fold"
    elif not several and handle.should_prune():
        trial.state = "pruned"


def _tell(study, trial: Trial, handle) -> None:
    import optuna
    states = optuna.trial.TrialState
    record = {"origin": trial.origin, "model": trial.model, "hyperparameters": trial.hyperparameters,
              "early_stopping": trial.early_stopping, "folds": trial.folds, "rounds": trial.rounds, "cost": trial.cost,
              "reason": trial.reason, "seconds": trial.seconds}
    handle.set_user_attr("trial", record)
    if trial.state == "finished":
        study.tell(handle, [trial.value] if trial.cost is None else [trial.value, trial.cost])
    else:
        study.tell(handle, state=states.PRUNED if trial.state == "pruned" else states.FAIL)


def _told(frozen) -> Trial:
    """Return the trial that a journal holds."""
    state = {"COMPLETE": "finished", "PRUNED": "pruned", "FAIL": "failed"}[frozen.state.name]
    record = frozen.user_attrs["trial"]
    value = float(np.mean([score for score in record["folds"] if math.isfinite(score)])) if state != "failed" else None
    return Trial(number=frozen.number, state=state, value=value, **record)


def best(trials: list[Trial], metric: str) -> Trial | None:
    """Return the best of the finished trials, the first of equals."""
    finished = [trial for trial in trials if trial.state == "finished"]
    sign = 1 if metric in scoring.LOWER_IS_BETTER else -1
    return min(finished, key=lambda trial: (sign * trial.value, trial.number), default=None)


def pick(trials: list[Trial], metric: str, tolerance: float) -> Trial | None:
    """Return the cheapest of the finished trials whose metric is within the tolerance of the best one's, the better of equals."""
    winner = best(trials, metric)
    if winner is None or winner.cost is None:
        return winner
    sign = 1 if metric in scoring.LOWER_IS_BETTER else -1
    near = [trial for trial in trials if trial.state == "finished"
            and sign * (trial.value - winner.value) <= tolerance * abs(winner.value)]
    return min(near, key=lambda trial: (trial.cost, sign * trial.value, trial.number))


def _note(trials: list[Trial], metric: str) -> str:
    winner = best(trials, metric)
    return f"best {metric} {winner.value:.5g} ({winner.model})" if winner else ""
