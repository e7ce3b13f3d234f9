"""What tuning brought: tuned candidates against the same model and the best one untuned."""

from dataclasses import dataclass

from pipeline.report.sections.subject import Subject
from pipeline.report.stage_figures import Gain, Gains, PairedGain, Trials


@dataclass(frozen=True)
class Row:
    """A tuned candidate against an untuned one; positive gains are better."""

    name: str
    over: str
    cv: float | None
    test: PairedGain
    verdict: str
    mark: str | None


@dataclass(frozen=True)
class Tuning:
    """How many trials there were, and what they brought."""

    trials: Trials
    rows: list[Row]

    @property
    def remark(self) -> str:
        """What the folded section says: the verdicts on the tuned candidates, each once."""
        return ", ".join(dict.fromkeys(row.verdict for row in self.rows))


def figures(subject: Subject) -> Tuning | None:
    tuning = subject.result.tuning
    if tuning is None:
        return None
    rows = []
    for name, gains in tuning.improvement.items():
        rows += [_row(name, gain) for gain in _different(gains)]
    return Tuning(tuning.trials, rows) if rows else None


def _different(gains: Gains) -> list[Gain]:
    """Return the gains over both baselines, or the one where both are the same candidate."""
    by_baseline = {gain.over: gain for gain in (gains.same_model, gains.best_of_train) if gain}
    return list(by_baseline.values())


def _row(name: str, gain: Gain) -> Row:
    verdict, mark = _verdict(gain.test)
    return Row(name, gain.over, gain.cv_selected_on.absolute, gain.test, verdict, mark)


def _verdict(test: PairedGain) -> tuple[str, str | None]:
    """Return the word for a gain on the test rows, and its mark where the word is beyond doubt."""
    if test.low is not None and test.low > 0:
        return "better", "info"
    if test.high is not None and test.high < 0:
        return "worse", "watch"
    return ("no difference" if test.low == test.high else "may be chance"), None
