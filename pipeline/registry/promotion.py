"""A promotion: the rule for it, what the rule makes of the evidence, and the words for that."""

from dataclasses import dataclass

from pipeline.registry import promotion_log
from pipeline.registry.evidence import CHAMPION, GUESSING, Difference, Evidence, rows_to_settle

MANY = 1_000_000  # rows; no larger number is named


@dataclass(frozen=True)
class Decision:
    """The outcome, one of promotion_log's words, and the reason in one line."""

    outcome: str
    reason: str


@dataclass(frozen=True)
class Demand:
    """What a rule asks of the lower end of the interval of the difference, in words as well."""

    bound: float
    may_equal: bool
    text: str


def not_ready(advice: list[str]) -> Decision:
    """Return the decision on a model that the comparison calls not ready, whatever the rule."""
    return Decision(
        promotion_log.REFUSED,
        f"the comparison calls it not ready: {' '.join(advice)} Only a model without such advice "
        f"is promoted",
    )


def decide_promotion(rule: str, evidence: Evidence) -> Decision:
    """Decide by a rule on the evidence.

    better: the whole interval of the difference lies above 0. not_worse: it lies above the margin
    below 0. always: whatever it is. The whole interval on the other side is a refusal, and an
    interval that lies on both is no decision. Against guessing, not_worse asks for better.
    """
    if rule == "always":
        return Decision(promotion_log.PROMOTED, "the gates hold, and register.promote is always")
    gain = evidence.difference
    if gain is None:
        return Decision(promotion_log.UNDECIDED, evidence.fault or "")
    demand = _demand(rule, evidence.against, gain)
    if gain.low > demand.bound or (demand.may_equal and gain.low == demand.bound):
        outcome = promotion_log.PROMOTED
        line = f"{demand.text}, and it is"
    elif gain.high < demand.bound:
        outcome = promotion_log.REFUSED
        line = f"{demand.text}, and all of it is below"
    else:
        outcome = promotion_log.UNDECIDED
        line = (
            f"{demand.text}, and it lies on both sides: these rows do not decide; "
            f"{_what_settles(evidence, demand.bound)}"
        )
    return Decision(outcome, f"{_comparison(evidence, gain)}; {line}")


def _demand(rule: str, against: str, gain: Difference) -> Demand:
    if against == GUESSING:
        text = "without a champion, the interval must be above 0"
        return Demand(0.0, False, text)
    if rule == "better":
        return Demand(0.0, False, "for better, the interval must be above 0")
    bound = -gain.margin
    text = f"for not_worse, the interval must be from {bound:g} up, register.margin below 0"
    return Demand(bound, True, text)


def _comparison(evidence: Evidence, gain: Difference) -> str:
    """Return the figures in words."""
    if evidence.against == CHAMPION:
        opponent, new_to = f"the champion's {gain.baseline:g}", "both"
    else:
        opponent, new_to = f"{gain.baseline:g} by guessing", "it"
    widened = ""
    if evidence.judged_before:
        models = "1 model" if evidence.judged_before == 1 else f"{evidence.judged_before} models"
        widened = f", widened as this test split has judged {models} before"
    return (
        f"{evidence.metric} {gain.challenger:g} against {opponent} on {evidence.rows} rows new to "
        f"{new_to}; better by {gain.difference:g} [{gain.low:g}, {gain.high:g}]{widened}"
    )


def _what_settles(evidence: Evidence, bound: float) -> str:
    needed = rows_to_settle(evidence, bound)
    if needed is None:
        return "no number of rows settles a difference that is exactly what the rule asks for"
    if needed > MANY:
        return "not even a million rows would settle a difference of this size"
    return f"about {_two_digits(needed):,} rows would settle a difference of this size"


def _two_digits(count: int) -> int:
    """Return a count with two significant digits; an estimate has no more."""
    return int(float(f"{count:.2g}"))
