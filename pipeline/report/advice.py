"""Advice on using a dataset's best model: what its figures call for, each piece by one rule."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.data.leaks.table import Leak
from pipeline.drift import verdicts
from pipeline.models import catalogue
from pipeline.project.rounding import number_text
from pipeline.report import doubts
from pipeline.report.comparison import Advice, Candidate, DatasetResult, SliceResult
from pipeline.report.stage_figures import DriftFigures
from pipeline.scoring.gates import bounds_text, score_text

MOST_DRIFTED = 3  # columns that are named
STOP, WATCH, INFO = "stop", "watch", "info"
GRAVEST_FIRST = (STOP, WATCH, INFO)
VERDICTS = {STOP: "Not ready", WATCH: "Ready with reservations", INFO: "Ready"}
# nothing synthetic is shipped
REHEARSED = {STOP: "Not ready", WATCH: "Passes with reservations", INFO: "Passes in rehearsal"}


@dataclass(frozen=True)
class Evidence:
    """What the rules look at: a dataset's figures, and those of its drift stage if it has run."""

    dataset: str
    result: DatasetResult
    drift: DriftFigures | None


def advise(
    dataset: str, result: DatasetResult, drift: DriftFigures | None, leaks: Sequence[Leak] = ()
) -> list[Advice]:
    """Return what speaks against the best model and what is worth knowing, the gravest first."""
    evidence = Evidence(dataset, result, drift)
    pieces = list(doubts.doubts(result, leaks))
    for rule in RULES:
        pieces.extend(rule(evidence))
    return sorted(pieces, key=lambda piece: GRAVEST_FIRST.index(piece.level))


def verdict(pieces: list[Advice]) -> str:
    """Return the level of the gravest piece of advice: whether the model is ready."""
    return pieces[0].level if pieces else INFO


def verdict_words(result: DatasetResult) -> str:
    """Return a dataset's verdict in words; on synthetic data a model passes a rehearsal at best."""
    words = REHEARSED if result.synthetic else VERDICTS
    return words[result.verdict]


def no_gate(evidence: Evidence) -> Iterator[Advice]:
    """No gate is set: nothing says what is good enough."""
    if not evidence.result.gates:
        yield Advice(
            WATCH,
            "No gate says how good is good enough.",
            f"Add the lowest useful score to datasets.{evidence.dataset}.gates in params.yaml.",
        )


def failed_gates(evidence: Evidence) -> Iterator[Advice]:
    """A gate fails."""
    for gate in evidence.result.gates:
        if gate.passed:
            continue
        value = "not defined" if gate.value is None else number_text(gate.value)
        yield Advice(
            STOP,
            f"{score_text(gate)} is {value}; the gate asks for {bounds_text(gate)}.",
            f"Improve the data or the model until {score_text(gate)} is {bounds_text(gate)}; "
            "change the gate only if the use allows it.",
        )


def no_better_than_guessing(evidence: Evidence) -> Iterator[Advice]:
    """The best model is no better than guessing by more than the folds differ."""
    result = evidence.result
    if "dummy" not in result.candidates:
        return
    metric, mean = result.primary_metric, result.cv.mean
    guess = result.candidates["dummy"].cv[metric].mean
    within_folds = (
        mean is not None and guess is not None and abs(mean - guess) < _fold_deviation(result)
    )
    if result.best.name == "dummy" or within_folds:
        yield Advice(
            STOP,
            f"No model is clearly better than guessing: cv {metric} {number_text(mean)} "
            f"against {number_text(guess)}.",
            f"Look for columns that say more about {result.target}, or for more rows.",
        )


def drifted(evidence: Evidence) -> Iterator[Advice]:
    """The drift stage sees drift between the splits, or too few rows to tell."""
    drift = evidence.drift
    if drift is None:
        return
    if drift.verdict == verdicts.NOT_ENOUGH_DATA:
        yield Advice(
            INFO,
            "There are too few test rows to test for drift.",
            _sentence(drift.recommendation),
        )
    if drift.verdict == verdicts.DRIFT:
        names = drift.drifted
        if not names and drift.together and drift.together.verdict == verdicts.DRIFT:
            names = drift.together.columns
        columns = ", ".join(names[:MOST_DRIFTED])
        yield Advice(
            WATCH,
            "The test rows differ from the training rows: "
            f"{columns or 'the target or the predictions'}.",
            _sentence(drift.recommendation),
        )


def poor_quality(evidence: Evidence) -> Iterator[Advice]:
    """The drift stage finds fault with the data themselves."""
    drift = evidence.drift
    if drift is not None and drift.quality.verdict == verdicts.CHECK:
        yield Advice(
            WATCH,
            f"The data need a check: {drift.quality.reasons[0]}.",
            f"Look at {drift.quality.reasons[0]} in the data quality report.",
        )


def synthetic_data(evidence: Evidence) -> Iterator[Advice]:
    """The data are made up."""
    if evidence.result.synthetic:
        yield Advice(
            INFO,
            "The data are synthetic: the scores say that the pipeline works, not how well the "
            "problem can be solved.",
            "Bring your own table: docs/your-data.md.",
        )


def worse_slices(evidence: Evidence) -> Iterator[Advice]:
    """On a part of the test rows it does worse than overall, the whole interval included.

    A reservation where params.yaml names the part; every model has a worst part that a search
    finds, which is worth knowing.
    """
    worse = [part for part in evidence.result.slices if part.test.worse]
    for level, origin in ((WATCH, "params.yaml"), (INFO, "search")):
        parts = [part for part in worse if part.origin == origin]
        if parts:
            yield Advice(
                level,
                _does_worse(evidence.result.primary_metric, parts),
                f"Decide whether it may be used where {parts[0].where}; more rows of that kind, "
                "or columns that tell more about them, may help.",
            )


def _does_worse(metric: str, parts: list[SliceResult]) -> str:
    first = parts[0]
    score = f"{number_text(first.test.value)} {_interval(first.test.low, first.test.high)}"
    others = f", and on {len(parts) - 1} more of the slices" if len(parts) > 1 else ""
    return f"It does worse where {first.where}: {metric} {score}{others}."


def simpler_family(evidence: Evidence) -> Iterator[Advice]:
    """A simpler family is as good within the error of the mean over the folds.

    This is the one-standard-error rule (Breiman et al. 1984, Classification and Regression Trees).
    """
    result, metric = evidence.result, evidence.result.primary_metric
    best, mean = _simplicity(result.chosen), result.cv.mean
    error = _fold_deviation(result) / result.cv_folds**0.5
    for name in _simplest_first(result):
        candidate = result.candidates[name]
        value = candidate.cv[metric].mean
        if mean is None or value is None or _simplicity(candidate) >= best:
            continue
        if abs(mean - value) <= error:
            yield Advice(
                INFO,
                f"{name} is simpler and as good within the error of the folds' mean: "
                f"cv {metric} {number_text(value)} against {number_text(mean)}.",
                f"Where speed or explanation counts, {_alone(name, evidence.dataset)}.",
            )
            return


def _alone(candidate: str, dataset: str) -> str:
    """Return what to set so that no other model of the dataset is chosen."""
    model = candidate.removeprefix("tuned_")
    block = f"datasets.{dataset}"
    lists = f"{block}.train.models and {block}.tune.models"
    return f"list {model} alone in {lists}, with {block}.tune.blend: false"


def _simplest_first(result: DatasetResult) -> list[str]:
    names = set(result.candidates) - {"dummy"}
    return sorted(names, key=lambda name: (_simplicity(result.candidates[name]), name))


def _simplicity(candidate: Candidate) -> int:
    """Return the place of a candidate's family, from the simplest; a blend is the least simple."""
    families = list(catalogue.FAMILIES)
    if candidate.model_type not in families:
        return len(families)
    return families.index(candidate.model_type)


def unproven_tuning(evidence: Evidence) -> Iterator[Advice]:
    """On the test rows the tuned best candidate may be no better than the best untuned one."""
    result, best = evidence.result, evidence.result.best.name
    gains = result.tuning.improvement.get(best) if result.tuning else None
    gain = gains.best_of_train if gains else None
    if gain is None or gain.test.low is None or gain.test.low > 0:
        return
    gained = f"{number_text(gain.test.absolute)} {_interval(gain.test.low, gain.test.high)}"
    yield Advice(
        INFO,
        f"On the test rows the gain of {best} over {gain.over} may be chance: "
        f"{result.primary_metric} {gained}.",
        f"{gain.over} is the simpler choice; more trials are unlikely to help, better columns or "
        "more rows may.",
    )


def _fold_deviation(result: DatasetResult) -> float:
    return result.cv.std or 0


def _interval(low: float | None, high: float | None) -> str:
    return f"({number_text(low)} to {number_text(high)})"


def _sentence(text: str) -> str:
    capital = f"{text[:1].upper()}{text[1:]}"
    return capital if capital.endswith(".") else f"{capital}."


RULES: tuple[Callable[[Evidence], Iterator[Advice]], ...] = (
    no_gate,
    failed_gates,
    no_better_than_guessing,
    drifted,
    poor_quality,
    synthetic_data,
    worse_slices,
    simpler_family,
    unproven_tuning,
)
