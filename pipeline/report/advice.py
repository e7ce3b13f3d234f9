"""What the figures of a dataset call for, in words: each piece of advice follows from the figures by one rule below."""

from pipeline.drift import verdicts
from pipeline.models import catalogue
from pipeline.project import rounding
from pipeline.scoring import gates, metrics

FEW_ROWS = 10  # of a class in the test split: below it the test score is no ground to judge by
STOP, WATCH, INFO = "stop", "watch", "info"
VERDICTS = {STOP: "Not ready", WATCH: "Ready with reservations", INFO: "Ready"}
REHEARSED = {
    STOP: "Not ready",
    WATCH: "Passes with reservations",
    INFO: "Passes in rehearsal",
}  # nothing synthetic is shipped


def advice(dataset: str, result: dict, drift: dict | None) -> list[dict]:
    """Return what speaks against using the best model, then what is worth knowing: [{level, what, do}], the gravest first."""
    rules = (
        _gates,
        _baseline,
        _rare_class,
        _test_against_cv,
        _drift,
        _quality,
        _synthetic,
        _slices,
        _simpler,
        _tuning,
    )
    found = [
        {"level": level, "what": what, "do": do}
        for rule in rules
        for level, what, do in rule(dataset, result, drift)
    ]
    return sorted(found, key=lambda one: (STOP, WATCH, INFO).index(one["level"]))


def verdict(found: list[dict]) -> str:
    """Return the gravest level of all: whether the model is ready."""
    return found[0]["level"] if found else INFO


def rare_class(result: dict) -> tuple[str, int] | None:
    """Return (class, test rows of it) where the test split holds too few rows of a class to judge by."""
    matrix = _best(result).get("confusion_matrix")
    if matrix is None:
        return None
    rows, label = min((sum(row), label) for label, row in zip(matrix["labels"], matrix["counts"]))
    return (label, rows) if rows < FEW_ROWS else None


def _best(result: dict) -> dict:
    return result["candidates"][result["best"]["name"]]


def _cv(result: dict, name: str) -> tuple[float | None, float]:
    figures = result["candidates"][name]["cv"][result["primary_metric"]]
    return figures["mean"], figures["std"] or 0


def _gates(dataset, result, drift):
    """A gate fails: stop. None is set: nothing says what is good enough."""
    if not result["gates"]:
        yield (
            WATCH,
            "No gate says how good is good enough.",
            f"Add the least that is of use to datasets.{dataset}.gates in params.yaml.",
        )
    for gate in result["gates"]:
        if not gate["passed"]:
            value = "not defined" if gate["value"] is None else rounding.number_text(gate["value"])
            yield (
                STOP,
                f"{gate['on']} {gate['metric']} is {value}; the gate asks for {gates.bounds_text(gate)}.",
                "Improve the data or the model; change the gate only if the use allows it.",
            )


def _baseline(dataset, result, drift):
    """The best model is no better than guessing by more than the folds differ."""
    name, metric = result["best"]["name"], result["primary_metric"]
    if "dummy" not in result["candidates"]:
        return
    (mean, deviation), (guess, _) = _cv(result, name), _cv(result, "dummy")
    if name == "dummy" or guess is not None and abs(mean - guess) < deviation:
        yield (
            STOP,
            f"No model is clearly better than guessing: cv {metric} {rounding.number_text(mean)} against {rounding.number_text(guess)}.",
            "Look for columns that tell more about the target, or for more rows.",
        )


def _rare_class(dataset, result, drift):
    """The test split holds too few rows of a class."""
    rare, on_test = rare_class(result), any(gate["on"] == "test" for gate in result["gates"])
    if rare:
        yield (
            WATCH,
            f"The test split holds {rare[1]} rows of class {rare[0]}, too few to judge by.",
            f"Collect more rows of that class{', and let the gates look at the out-of-fold scores (on: oof)' * on_test}.",
        )


def _test_against_cv(dataset, result, drift):
    """The out-of-fold score lies beyond the better end of the test score's interval."""
    metric, best = result["primary_metric"], _best(result)
    expected, test = best["cv_oof"][metric], best["test"][metric]
    ends = [test.get("low"), test.get("high")]
    if (
        expected is not None
        and None not in ends
        and all(metrics.is_better(metric, expected, end) for end in ends)
    ):
        yield (
            WATCH,
            f"The test {metric} of {rounding.number_text(test['value'])} is worse than cross-validation promised: {rounding.number_text(expected)}.",
            "Check how the split is made: do the test rows come from another time or another group?",
        )


def _drift(dataset, result, drift):
    """The drift stage sees drift between the splits, or too few rows to tell."""
    if drift and drift["verdict"] == verdicts.NOT_ENOUGH_DATA:
        yield (
            INFO,
            "Whether the test rows drifted cannot be told.",
            _sentence(drift["recommendation"]),
        )
    if drift and drift["verdict"] == verdicts.DRIFT:
        columns = ", ".join(drift["drifted"][:3]) or "the target or the predictions"
        yield (
            WATCH,
            f"The test rows differ from the training rows: {columns}.",
            _sentence(drift["recommendation"]),
        )


def _quality(dataset, result, drift):
    """The drift stage finds fault with the data themselves."""
    if drift and drift["quality"]["verdict"] == verdicts.CHECK:
        yield (
            WATCH,
            f"The data ask for a look: {drift['quality']['reasons'][0]}.",
            "Open the data quality report.",
        )


def _slices(dataset, result, drift):
    """On a part of the test rows it does worse than overall, the whole interval included.

    A reservation where params.yaml names the part; every model has a worst part that a search finds, which is worth knowing.
    """
    worse = [one for one in result.get("slices", []) if one["test"]["worse"]]
    for level, origin in ((WATCH, "params.yaml"), (INFO, "search")):
        found = [one for one in worse if one["origin"] == origin]
        if found:
            score = "{value} ({low} to {high})".format(
                **{
                    key: rounding.number_text(found[0]["test"][key])
                    for key in ("value", "low", "high")
                }
            )
            more = f", and on {len(found) - 1} more of the slices" if len(found) > 1 else ""
            yield (
                level,
                f"It does worse where {found[0]['where']}: {result['primary_metric']} {score}{more}.",
                "Decide whether it may be used there; more rows or more telling columns of that kind may help.",
            )


def _synthetic(dataset, result, drift):
    """The data are made up."""
    if result["synthetic"]:
        yield (
            INFO,
            "The data are synthetic: the scores say that the pipeline works, not how well the problem can be solved.",
            "Bring your own table: docs/your-data.md.",
        )


def _simpler(dataset, result, drift):
    """A simpler family is as good within the error of the mean over the folds (the one-standard-error rule)."""
    metric, candidates = result["primary_metric"], result["candidates"]
    mean, deviation = _cv(result, result["best"]["name"])
    error = deviation / result["cv_folds"] ** 0.5
    for other in sorted(
        set(candidates) - {"dummy"}, key=lambda name: (_simplicity(candidates[name]), name)
    ):
        value, _ = _cv(result, other)
        if (
            _simplicity(candidates[other]) < _simplicity(_best(result))
            and value is not None
            and abs(mean - value) <= error
        ):
            yield (
                INFO,
                f"{other} is simpler and as good within the error of the folds' mean: "
                f"cv {metric} {rounding.number_text(value)} against {rounding.number_text(mean)}.",
                f"Where speed or explanation counts, list it alone in datasets.{dataset}.train.models.",
            )
            return


def _simplicity(candidate: dict) -> int:
    """Return the place of a candidate's family, from the simplest; a blend is the least simple."""
    families = list(catalogue.FAMILIES)
    model_type = candidate["params"].get("model_type")
    return families.index(model_type) if model_type in families else len(families)


def _tuning(dataset, result, drift):
    """The tuned best candidate is not better on the test rows than the best untuned one beyond doubt."""
    tuning, best = result.get("tuning"), result["best"]["name"]
    over = (tuning or {}).get("improvement", {}).get(best, {}).get("best_of_train")
    if over and over["test"]["low"] is not None and over["test"]["low"] <= 0:
        gain = "{absolute} ({low} to {high})".format(
            **{key: rounding.number_text(over["test"][key]) for key in ("absolute", "low", "high")}
        )
        yield (
            INFO,
            f"On the test rows the gain of {best} over {over['over']} may be chance: {result['primary_metric']} {gain}.",
            f"{over['over']} is the plainer choice; more trials are unlikely to pay, better columns or more rows may.",
        )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
