"""The decision on a new version: who is the champion after it, and why."""

import subprocess
import sys

import pandas as pd
import pytest

from pipeline.models import storage
from pipeline.project import params
from pipeline.project.errors import DataError
from pipeline.registry import decisions, evidence, promotion_log, recovery, versions
from pipeline.scoring import bootstrap
from pipeline.scoring.rows import Rows
from pipeline.scoring.sampling import Sampling
from pipeline.tracking import store
from support.processes import ROOT
from support.registered import aliases, content, log, resolve


def test_better_model_takes_the_champions_place_and_the_line_says_why(first, register):
    told = register("better")
    assert "version 2, promoted: rmse" in told and "on 50 rows new to both" in told
    assert aliases() == {"champion": 2, "production": 2, "previous": 1}
    stages = [
        store.client().get_model_version("TinyPredictor", number).current_stage for number in "12"
    ]
    assert stages == ["Archived", "Production"]
    line = log()[-1]
    figures = line.entry.figures
    frame = pd.read_parquet("data/processed/tiny/test.parquet")
    one, other = (
        ((storage.load(resolve(n).folder).predict(frame) - frame["price"]) ** 2).mean() ** 0.5
        for n in (1, 2)
    )
    assert (figures["baseline"], figures["challenger"]) == (
        pytest.approx(one, rel=1e-5),
        pytest.approx(other, rel=1e-5),
    )
    assert figures["difference"] == pytest.approx(one - other, rel=1e-3)
    assert figures["low"] < figures["difference"] < figures["high"]
    assert (
        line.entry.champion_before,
        line.entry.champion,
        line.entry.outcome,
        line.entry.rule,
    ) == (
        1,
        2,
        "promoted",
        "not_worse",
    )


def test_worse_model_is_refused_and_becomes_the_challenger(first, register):
    assert "version 2, refused: rmse" in register("worse")
    assert aliases() == {"champion": 1, "production": 1, "challenger": 2}
    assert log()[-1].entry.figures["high"] < -log()[-1].entry.figures["margin"]
    assert "version 3, promoted" in register("better")
    assert aliases() == {"champion": 3, "production": 3, "previous": 1}


def test_rule_always_promotes_by_the_gates_alone(first, register):
    told = register("worse", ("name: TinyPredictor", "name: TinyPredictor, promote: always"))
    assert "version 2, promoted: the gates hold" in told
    assert aliases() == {"champion": 2, "production": 2, "previous": 1}


def test_too_few_rows_are_no_decision(first, register):
    told = register("better", ("name: TinyPredictor", "name: TinyPredictor, min_rows: 51"))
    assert (
        "no decision: 50 rows of data/processed/tiny/test.parquet are new to both, "
        "register.min_rows asks for 51"
    ) in told
    assert aliases() == {"champion": 1, "production": 1, "challenger": 2}


def test_only_rows_that_neither_was_trained_on_count(first, register):
    trained_on = pd.read_parquet("data/processed/tiny/train.parquet")
    register("more_rows")
    test = pd.read_parquet("data/processed/tiny/test.parquet")
    seen = test.merge(trained_on.drop_duplicates(), how="inner").shape[0]
    assert 20 < seen < len(test) and log()[-1].entry.figures["rows"] == len(test) - seen


def test_champion_that_needs_a_column_the_table_lost_is_no_decision(first, register):
    assert (
        "no decision: data/processed/tiny/test.parquet: no column 'town', which the model needs"
        in register("without_town")
    )
    assert aliases()["champion"] == 1


def test_champion_whose_files_were_changed_is_no_decision_and_says_so(first, register):
    path = resolve().folder / "estimator.skops"
    path.write_bytes(path.read_bytes() + b" ")
    assert (
        "no decision: " in register("better") and "is not the registered" in log()[-1].entry.reason
    )
    assert aliases()["champion"] == 1


def test_forced_rerun_does_not_undo_a_rollback(two, register):
    decisions.roll_back("tiny", params.load(), "previous", "a test")
    before = content("logs")
    assert "decided on before" in register("better")
    assert (
        aliases() == {"champion": 1, "production": 1, "previous": 2} and content("logs") == before
    )


@pytest.mark.parametrize("step", ["carry_out", "write_log"])
def test_decision_cut_short_is_carried_out_by_the_next_command(first, register, monkeypatch, step):
    with monkeypatch.context() as patch:
        patch.setattr(
            recovery if step == "carry_out" else promotion_log,
            step,
            lambda *_: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            register("better")
    assert len(log()) == 1 and aliases()["champion"] == (1 if step == "carry_out" else 2)
    assert "the last still to be carried out: run `make sync`" in decisions.verify(
        "tiny", params.load()
    )
    assert "decided on before" in register("better")
    assert len(log()) == 2 and aliases() == {"champion": 2, "production": 2, "previous": 1}
    assert "still" not in decisions.verify("tiny", params.load())


def test_version_that_was_cut_short_before_its_decision_is_not_made_twice(
    first, register, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(
            decisions, "_record", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
        )
        with pytest.raises(KeyboardInterrupt):
            register("better")
    assert len(versions.list_versions("tiny", params.load())) == 2 and len(log()) == 1
    assert "version 2, promoted" in register("better")
    assert len(versions.list_versions("tiny", params.load())) == 2


@pytest.mark.slow
def test_two_at_once_make_one_version_and_one_decision(first, become):
    become("better")
    command = [sys.executable, ROOT / "register_model.py", "--dataset", "tiny"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = sorted(process.communicate()[0] for process in processes)
    assert [process.returncode for process in processes] == [0, 0]
    assert "version 2, promoted" in told[0] and "decided on before" in told[1]
    assert len(log()) == 2 and len(versions.list_versions("tiny", params.load())) == 2
    assert "the log is whole, 2 lines" in decisions.verify("tiny", params.load())


def test_champion_moved_by_hand_stops_the_next_decision_until_a_rollback_settles_it(two, register):
    store.client().set_registered_model_alias("TinyPredictor", "champion", "1")
    message = "@champion is version 1, the promotion log says version 2: it was moved by hand, or"
    with pytest.raises(DataError, match=message):
        register("worse")
    with pytest.raises(DataError, match=message):
        decisions.verify("tiny", params.load())
    decisions.roll_back("tiny", params.load(), 2, "not meant")
    assert "version 3, refused" in register("worse")


def test_rows_of_a_group_are_drawn_together(first, register):
    split = "prepare: {test_size: 0.25, split: %s}"
    register("better", (split % "random", split % "group:town"))
    frame = pd.read_parquet("data/processed/tiny/test.parquet")
    towns = Sampling("group", pd.factorize(frame["town"])[0])
    drawn = {}
    for number in (1, 2):
        predicted = storage.load(resolve(number).folder).predict(frame)
        rows = Rows(frame["price"].to_numpy(), predicted)
        drawn[number] = bootstrap.resampled("rmse", rows, params.load().seed, sampling=towns)
    expected = evidence.compare(drawn[1], drawn[2], margin=0.0, judged_before=1)
    figures = log()[-1].entry.figures
    interval = (figures["low"], figures["high"])
    assert interval == pytest.approx((expected.low, expected.high), rel=1e-4)
