"""The table of claims: what few trials cannot show is not called shown."""

from benchmarks.experiment import Claim, Experiment, measured
from benchmarks.statistics import rows

CLAIM = Claim("alarm", "at most 5 % alarm", highest=0.05)
EXPERIMENT = Experiment("alarms", "synthetic rows", 100, lambda seed: {}, (CLAIM,))


def verdict(alarms: int, trials: int) -> str:
    figures = {seed: {"alarm": float(seed < alarms)} for seed in range(trials)}
    return rows(EXPERIMENT, figures)[0].split("|")[-2].strip()


def test_claim_holds_only_where_enough_trials_say_so():
    assert verdict(0, 100) == "yes"
    assert verdict(0, 6) == "too few trials"
    assert verdict(50, 100) == verdict(6, 6) == "**no**"


def test_interval_of_shares_by_halves_ends_at_0_and_1():
    result = measured([1.0] * 18 + [0.5, 0.5])
    assert result.high == 1 and result.low < 0.95
