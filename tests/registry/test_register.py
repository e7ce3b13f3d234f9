"""register_model.py: versions, evidence, decisions and the promotion log, in a real sqlite registry."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import requests

import evaluate
import register_model
from benchmarks import promotion as benchmark
from ops import sync
from pipeline.models import storage
from pipeline.project import files, params, paths
from pipeline.project.errors import DataError
from pipeline.registry import bundles, decisions, promotion, promotion_log, versions
from pipeline.tracking import store
from support.processes import ROOT, free_port, shell, until
from support.registered import aliases, content, edit, log, variant

FIGURES = {
    "rows": 100,
    "metric": "rmse",
    "champion": 10.0,
    "challenger": 9.0,
    "difference": 1.0,
    "margin": 0.2,
}


def resolve(reference="champion"):
    return versions.resolve("tiny", params.load(), reference)


# a version


def test_first_version_is_the_champion_with_its_bundle_tags_card_and_stage(register):
    assert register("first") == (
        "register tiny: TinyPredictor version 1, promoted: the first version: its gates hold "
        "-> logs/promotions/tiny.jsonl\n"
    )
    assert aliases() == {"champion": 1, "production": 1}
    version = resolve()
    metadata = json.loads(Path("models/tiny/train/ridge/metadata.json").read_text())
    assert (version.name, version.version, version.sha256) == (
        "TinyPredictor",
        1,
        metadata["model_sha256"],
    )
    assert {path.name for path in version.folder.iterdir()} == {
        "metadata.json",
        "preprocessing.skops",
        "estimator.skops",
        "train_stats.json",
        "request.json",
        "train_rows.npy",
        "checks.json",
        "model_card.json",
        "model_card.md",
    }
    low, high = (metadata["metrics"]["test"]["rmse"][bound] for bound in ("low", "high"))
    assert version.tags["test_rmse"].endswith(f"[{low:.4g}, {high:.4g}]")
    assert (version.tags["dvc_stage"], version.data_hash) == ("train@tiny", metadata["data_hash"])
    entry = store.client().get_model_version("TinyPredictor", "1")
    assert entry.current_stage == "Production"
    assert entry.description == (version.folder / "model_card.md").read_text()
    run = store.client().get_run(entry.run_id)
    assert run.data.tags["stage"] == "register" and run.data.metrics["test_rmse_low"] == low


def test_request_repeats_and_holds_nothing_of_this_machine(register, states):
    register("first")
    request = paths.registration("tiny").read_bytes()
    paths.registration("tiny").unlink()
    register("first")
    assert paths.registration("tiny").read_bytes() == request
    assert json.loads(request)["gates"][0]["metric"] == "r2"


def test_model_card_tells_data_scores_by_slice_and_limits(first):
    card = json.loads((resolve().folder / "model_card.json").read_text())
    assert card["data"]["split"] == {"by": "random", "train": 150, "test": 50}
    assert sum(part["rows"] for part in card["slices"].values()) == 50 and len(card["slices"]) == 4
    frame = pd.read_parquet("data/processed/tiny/test.parquet")
    errors = (storage.load(resolve().folder).predict(frame) - frame["price"]).to_numpy()
    squares = sum(part["rows"] * part["rmse"]["value"] ** 2 for part in card["slices"].values())
    assert squares == pytest.approx((errors**2).sum(), rel=1e-4)
    where, part = next(iter(card["slices"].items()))
    bound = float(where.removeprefix("price ≤ "))
    assert part["mae"]["value"] == pytest.approx(
        abs(errors[frame["price"] <= bound]).mean(), rel=1e-4
    )
    assert all(
        score["low"] < score["value"] < score["high"]
        for part in card["slices"].values()
        for score in (part["rmse"], part["mae"])
    )
    text = (resolve().folder / "model_card.md").read_text()
    assert (
        f"| rmse (primary) | {card['cv']['rmse']['mean']:.4g} ±" in text
        and "Fairness" in text
        and "synthetic" not in text
    )
    assert (
        "| {} | {} | {:.5g} ({:.5g} to {:.5g}) |".format(
            where, part["rows"], *part["rmse"].values()
        )
        in text
    )


@pytest.mark.parametrize(
    "uri", ["models:/TinyPredictor@production", "models:/TinyPredictor/Production"]
)
def test_version_loads_through_mlflow_with_pickle_switched_off(first, monkeypatch, uri):
    import mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    rows = pd.read_parquet("data/processed/tiny/test.parquet")[["size", "town", "age"]]
    mlflow.set_tracking_uri(store.tracking_uri())
    try:
        loaded = mlflow.pyfunc.load_model(uri)
    finally:
        mlflow.set_tracking_uri(None)
    assert rows.isna().any(axis=None)
    assert (
        loaded.predict(rows).tolist()
        == storage.load("models/tiny/train/ridge").predict(rows).tolist()
    )
    assert not [
        path for path in Path("mlruns").rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")
    ]


@contextlib.contextmanager
def served(*arguments: str, answers: str):
    """Yield the address of a server of MLflow's once it answers."""
    port = str(free_port())
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *arguments, "--host", "127.0.0.1", "--port", port],
        env={**os.environ, "MLFLOW_TRACKING_URI": store.tracking_uri()},
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def is_up():
        assert server.poll() is None, (
            f"mlflow {' '.join(arguments)} ended with status {server.returncode}"
        )
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{address}/{answers}", timeout=10).ok

    try:
        until(is_up, 120, f"mlflow {arguments[0]}")
        yield address
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)


@pytest.mark.slow
def test_version_is_served_by_mlflow(first):
    rows = pd.read_parquet("data/processed/tiny/test.parquet")[["size", "town", "age"]].head(4)
    split = json.loads(rows.to_json(orient="split", index=False))
    with served(
        "models",
        "serve",
        "-m",
        "models:/TinyPredictor@production",
        "--env-manager",
        "local",
        answers="ping",
    ) as server:
        answer = requests.post(f"{server}/invocations", json={"dataframe_split": split}, timeout=30)
    assert answer.status_code == 200, answer.text
    assert (
        answer.json()["predictions"]
        == storage.load("models/tiny/train/ridge").predict(rows).tolist()
    )


@pytest.mark.slow
def test_registry_of_a_tracking_server_holds_versions_decisions_and_files(
    register, become, monkeypatch
):
    become("first")
    with served(
        "server",
        "--workers",
        "1",
        "--backend-store-uri",
        "sqlite:///server.db",
        "--artifacts-destination",
        "./artifacts",
        answers="health",
    ) as server:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
        register("first")
        register("better")
        decisions.roll_back("tiny", params.load(), "previous", "a test")
        shutil.rmtree("logs")  # as in another clone
        decisions.roll_back("tiny", params.load(), "previous", "a test")
        assert aliases() == {"champion": 2, "production": 2, "previous": 1}
        assert "the log is whole, 4 lines" in decisions.verify("tiny", params.load())
        assert resolve().folder == paths.downloaded(resolve().sha256) and bundles.check(
            resolve().folder
        )


def test_same_model_is_registered_once(register):
    register("first")
    before = content("logs") | content("mlruns")
    assert "ridge was decided on before, nothing changes" in register("first")
    assert content("logs") | content("mlruns") == before
    assert len(versions.list_versions("tiny", params.load())) == 1


def test_a_version_is_scored_by_number_and_by_alias(two, capsys):
    printed = []
    for options in (
        ["--model", "ridge"],
        ["--version", "2"],
        ["--version", "champion"],
        ["--version", "1"],
    ):
        evaluate.main(["--dataset", "tiny", *options])
        printed.append(capsys.readouterr().out.split("\n", 1))
    assert printed[1][0] == "TinyPredictor version 2 on 50 rows of data/processed/tiny/test.parquet"
    assert printed[0][1] == printed[1][1] == printed[2][1] != printed[3][1]


@pytest.mark.parametrize("reference", [7, "nobody", "no such name"])
def test_version_that_is_not_there_is_told_with_what_to_do(first, reference):
    with pytest.raises(
        DataError,
        match=r"TinyPredictor: no .* in sqlite:.*`python rollback.py --dataset tiny --list` shows",
    ):
        resolve(reference)


def test_without_a_store_nothing_is_made(become):
    become("first")
    Path("mlflow.db").unlink()
    with pytest.raises(DataError, match="no MLflow store; run `dvc repro`"):
        resolve()
    assert not list(Path().glob("mlflow.db*"))


@pytest.mark.parametrize(
    "name", ["estimator.skops", "train_stats.json", "train_rows.npy", "model_card.md"]
)
def test_flipped_byte_is_refused_with_both_hashes(first, name):
    path = resolve().folder / name
    registered = files.digest(path)
    broken = bytearray(path.read_bytes())
    broken[len(broken) // 2] ^= 1
    path.write_bytes(broken)
    with pytest.raises(
        DataError, match=f"{name}: sha256 {files.digest(path)} is not the registered {registered}"
    ):
        resolve()


def test_added_or_missing_file_is_refused(first):
    folder = resolve().folder
    (folder / "more.txt").write_text("x")
    with pytest.raises(DataError, match="more.txt: sha256 .* is not the registered of no file"):
        resolve()
    (folder / "more.txt").unlink()
    (folder / "train_stats.json").unlink()
    with pytest.raises(DataError, match="train_stats.json: sha256 of no file"):
        resolve()
    shutil.rmtree(folder)
    with pytest.raises(
        DataError,
        match="is not there: the project was moved, or mlruns cleaned; delete mlflow.db, keep mlruns",
    ):
        resolve()


def test_version_that_others_registered_is_refused(first):
    with store.open_store() as mlflow:
        client = mlflow.MlflowClient()
        client.create_model_version(
            "TinyPredictor", client.get_model_version("TinyPredictor", "1").source
        )
    with pytest.raises(
        DataError,
        match="TinyPredictor version 2: has no sha256: it was not registered by register_model.py",
    ):
        resolve(2)


# what is refused before anything is written


def test_model_whose_gates_fail_is_not_registered(register):
    with pytest.raises(
        DataError,
        match=r"validation/tiny.json: dummy fails its gates \(test r2 -?[\d.e-]+\) and is not",
    ):
        register("failing")
    assert not paths.registration("tiny").exists() and not Path("mlruns").exists()


def test_verdict_on_another_model_is_refused(first, states):
    shutil.copy(states / "better/metrics/validation/tiny.json", "metrics/validation/tiny.json")
    before = paths.registration("tiny").read_bytes()
    with pytest.raises(
        DataError,
        match="its verdict is on another model than metrics/best/tiny.json; run `python compare",
    ):
        register_model.main(["--dataset", "tiny"])
    assert paths.registration("tiny").read_bytes() == before and len(log()) == 1


def test_gates_of_other_datasets_are_not_looked_at(register):
    assert "promoted" in register("first")  # iris is in params.yaml, and has no verdict at all
    with pytest.raises(
        DataError,
        match="metrics/best/iris.json is not there; run `python compare_results.py` first",
    ):
        register_model.main(["--dataset", "iris"])


def test_store_that_cannot_be_written_is_told_in_one_line_and_decides_nothing(become):
    become("first")
    Path("mlflow.db").write_text("no database")
    done = subprocess.run(
        [sys.executable, ROOT / "register_model.py", "--dataset", "tiny"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert (
        done.stderr.splitlines()[-1].startswith("register_model.py: error: ")
        and "make sync" in done.stderr
    )
    assert paths.registration("tiny").is_file() and not paths.promotions("tiny").exists()


# promotion


def test_better_model_takes_the_champions_place_and_the_line_says_why(first, register):
    told = register("better")
    assert "version 2, promoted: rmse" in told and "on 50 rows new to both" in told
    assert aliases() == {"champion": 2, "production": 2, "previous": 1}
    stages = [
        store.client().get_model_version("TinyPredictor", number).current_stage for number in "12"
    ]
    assert stages == ["Archived", "Production"]
    line = log()[-1]
    figures = line["figures"]
    frame = pd.read_parquet("data/processed/tiny/test.parquet")
    one, other = (
        ((storage.load(resolve(n).folder).predict(frame) - frame["price"]) ** 2).mean() ** 0.5
        for n in (1, 2)
    )
    assert (figures["champion"], figures["challenger"]) == (
        pytest.approx(one, rel=1e-5),
        pytest.approx(other, rel=1e-5),
    )
    assert figures["difference"] == pytest.approx(one - other, rel=1e-3)
    assert figures["low"] < figures["difference"] < figures["high"]
    assert (line["from"], line["to"], line["outcome"], line["rule"]) == (
        1,
        2,
        "promoted",
        "not_worse",
    )


def test_worse_model_is_refused_and_becomes_the_challenger(first, register):
    assert "version 2, refused: rmse" in register("worse")
    assert aliases() == {"champion": 1, "production": 1, "challenger": 2}
    assert log()[-1]["figures"]["high"] < -log()[-1]["figures"]["margin"]
    assert "version 3, promoted" in register("better")
    assert aliases() == {"champion": 3, "production": 3, "previous": 1}


def test_rule_always_promotes_by_the_gates_alone(first, register):
    told = register("worse", ("name: TinyPredictor", "name: TinyPredictor, promote: always"))
    assert "version 2, promoted: the gates hold" in told
    assert aliases() == {"champion": 2, "production": 2, "previous": 1}


def test_too_few_rows_are_no_decision(first, register):
    told = register("better", ("name: TinyPredictor", "name: TinyPredictor, min_rows: 51"))
    assert (
        "no decision: 50 rows of data/processed/tiny/test.parquet are new to both, register.min_rows asks for 51"
        in told
    )
    assert aliases() == {"champion": 1, "production": 1, "challenger": 2}


def test_only_rows_that_neither_was_trained_on_count(first, register):
    trained_on = pd.read_parquet("data/processed/tiny/train.parquet")
    register("more_rows")
    test = pd.read_parquet("data/processed/tiny/test.parquet")
    seen = test.merge(trained_on.drop_duplicates(), how="inner").shape[0]
    assert 20 < seen < len(test) and log()[-1]["figures"]["rows"] == len(test) - seen


def test_champion_that_needs_a_column_the_table_lost_is_no_decision(first, register):
    assert (
        "no decision: data/processed/tiny/test.parquet: no column 'town', which the model needs"
        in register("without_town")
    )
    assert aliases()["champion"] == 1


def test_champion_whose_files_were_changed_is_no_decision_and_says_so(first, register):
    path = resolve().folder / "estimator.skops"
    path.write_bytes(path.read_bytes() + b" ")
    assert "no decision: " in register("better") and "is not the registered" in log()[-1]["reason"]
    assert aliases()["champion"] == 1


def test_champion_of_another_task_or_other_classes_is_no_decision(first):
    data, frame = (
        params.load().dataset("tiny").data,
        pd.read_parquet("data/processed/tiny/test.parquet"),
    )
    rule = params.load().dataset("tiny").registration
    folder = resolve().folder

    def fault(**changes):
        return promotion.gather_evidence(
            folder, folder, frame, "rows", data.model_copy(update=changes), rule, "rmse", 0
        )["fault"]

    assert (
        fault(target="size")
        == "the champion is for regression of 'price', params.yaml asks for regression of 'size'"
    )
    assert fault(task="classification").startswith(
        "the champion is for regression of 'price', params.yaml asks for class"
    )


def test_forced_rerun_does_not_undo_a_rollback(two, register):
    decisions.roll_back("tiny", params.load(), "previous", "a test")
    before = content("logs")
    assert "decided on before" in register("better")
    assert (
        aliases() == {"champion": 1, "production": 1, "previous": 2} and content("logs") == before
    )


def test_a_model_decided_on_costs_a_stage_no_mlflow(first):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", ROOT / "register_model.py", "--dataset", "tiny"],
        capture_output=True,
        text=True,
        env={**os.environ, "DVC_STAGE": "register@tiny"},
    )
    assert done.returncode == 0 and "decided on before" in done.stdout
    assert (
        "pipeline.promotion" in done.stderr
        and "mlflow" not in done.stderr
        and "pandas" not in done.stderr
    )


# the rule


@pytest.mark.parametrize(
    "rule, low, high, outcome",
    [
        ("better", 0.1, 2.0, "promoted"),
        ("better", 0.0, 2.0, "no decision"),
        ("better", 0.0, 0.0, "no decision"),
        ("better", -1.0, 2.0, "no decision"),
        ("better", -2.0, -0.1, "refused"),
        ("not_worse", 0.1, 2.0, "promoted"),
        ("not_worse", -0.2, 1.0, "promoted"),
        ("not_worse", -0.19, -0.1, "promoted"),
        ("not_worse", -0.21, 1.0, "no decision"),
        ("not_worse", -2.0, -0.21, "refused"),
        ("always", -2.0, -1.0, "promoted"),
    ],
)
def test_rule_asks_for_the_whole_interval(rule, low, high, outcome):
    assert promotion.decide_promotion(rule, {**FIGURES, "low": low, "high": high})[0] == outcome


@pytest.mark.slow
def test_rule_better_promotes_few_that_are_alike_and_most_that_are_better():
    seen = [one for seed in range(200) for one in benchmark.promoted("regression", 100, seed)]
    assert seen.count(("rmse", "alike, better")) < 10  # of 200
    assert seen.count(("rmse", "30 % better, better")) > 180
    assert seen.count(("rmse", "30 % worse, not_worse")) == 0


def test_no_figures_are_no_decision_and_their_reason():
    assert promotion.decide_promotion("better", {"fault": "no rows"}) == ("no decision", "no rows")
    assert promotion.decide_promotion("always", {"fault": "no rows"})[0] == "promoted"


def test_equal_rows_have_equal_hashes_whatever_the_types_they_are_read_with():
    kinds = {"a": "number", "b": "category"}
    one = pd.DataFrame({"a": [1, 0, 3], "b": ["x", None, "20"]})
    other = pd.DataFrame({"b": [" x", "", "20"], "a": ["1.0", "-0.0", "3"], "c": 1})
    assert (bundles.row_hashes(one, kinds) == bundles.row_hashes(other, kinds)).all()
    assert (
        len(
            np.unique(
                bundles.row_hashes(pd.concat([one, one.assign(a=7), one.assign(b="y")]), kinds)
            )
        )
        == 9
    )


# the log


def three_lines() -> list[str]:
    lines = []
    for number in (1, 2, 3):
        lines.append(
            promotion_log.next_line(
                lines, {"outcome": "promoted", "version": number, "sha256": str(number)}
            )
        )
    return [promotion_log.text_of(line) for line in lines]


@pytest.mark.parametrize(
    "change, number",
    [
        (lambda texts: [texts[0].replace("promoted", "refused"), *texts[1:]], 2),
        (lambda texts: [texts[0], texts[1].replace('"version": 2', '"version": 9'), texts[2]], 3),
        (lambda texts: [texts[0], texts[2]], 2),
        (lambda texts: texts[1:], 1),
        (lambda texts: [texts[0], texts[0], *texts[1:]], 2),
        (lambda texts: [texts[1], texts[0], texts[2]], 1),
        (lambda texts: [texts[0].replace(": ", ":"), *texts[1:]], 1),
    ],
)
def test_line_that_was_changed_removed_or_put_in_shows(change, number):
    assert [line["version"] for line in promotion_log.checked_lines(three_lines(), "log")] == [
        1,
        2,
        3,
    ]
    with pytest.raises(DataError, match=f"log: line {number} does not follow from the one before"):
        promotion_log.checked_lines(change(three_lines()), "log")


def test_half_a_line_is_told(become):
    become("first")
    files.write_text(paths.promotions("tiny"), "\n".join(three_lines())[:-5])
    with pytest.raises(
        DataError,
        match="logs/promotions/tiny.jsonl: line 3 is no whole JSON object; restore the file",
    ):
        promotion_log.read_log("tiny")


@pytest.mark.parametrize(
    "outcomes, standing",
    [
        ("p1", {"champion": "1", "production": "1"}),
        ("p1 p2", {"champion": "2", "production": "2", "previous": "1"}),
        ("p1 n2", {"champion": "1", "production": "1", "challenger": "2"}),
        ("p1 n2 p3", {"champion": "3", "production": "3", "previous": "1"}),
        ("p1 n2 r2", {"champion": "2", "production": "2", "previous": "1"}),
        ("p1 p2 n3 r1", {"champion": "1", "production": "1", "previous": "2", "challenger": "3"}),
        ("p1 p2 r1 r2", {"champion": "2", "production": "2", "previous": "1"}),
    ],
)
def test_aliases_follow_from_the_lines(outcomes, standing):
    words = {
        "p": promotion_log.PROMOTED,
        "n": promotion_log.UNDECIDED,
        "r": promotion_log.ROLLED_BACK,
    }
    assert (
        promotion_log.aliases_after(
            [{"outcome": words[what], "sha256": sha256} for what, sha256 in outcomes.split()]
        )
        == standing
    )


# what was lost or cut short


def three_decisions(register) -> dict[str, int]:
    register("worse")
    register("better")
    decisions.roll_back("tiny", params.load(), 2, "a test")
    return aliases()


def state() -> tuple:
    return (
        aliases(),
        [
            (version.version, version.sha256)
            for version in versions.list_versions("tiny", params.load())
        ],
        log(),
    )


def test_lost_registry_is_rebuilt_with_its_numbers_and_aliases(
    first, register, other_store, capsys
):
    three_decisions(register)
    before = state()
    other_store()
    sync.main([])
    assert state() == before
    sync.main([])
    assert "holds every run already" in capsys.readouterr().out and state() == before
    assert {resolve(number).folder.is_dir() for number in (1, 2, 3)} == {True}


def test_champion_that_was_deleted_is_registered_again_and_others_are_not(two, capsys):
    client, champion = store.client(), resolve()
    for number in (1, 2):
        client.delete_model_version("TinyPredictor", str(number))
    with pytest.raises(DataError, match="@champion is gone"):
        decisions.verify("tiny", params.load())
    sync.main([])
    assert (
        f"TinyPredictor: version {champion.version} registered again, as version 3\n"
        in capsys.readouterr().err
    )
    assert (resolve().version, resolve().sha256) == (3, champion.sha256)
    assert [version.version for version in versions.list_versions("tiny", params.load())] == [3]
    assert "the log is whole" in decisions.verify("tiny", params.load())


def test_model_that_was_renamed_has_its_versions_under_the_new_name(first, register):
    told = register("better", ("name: TinyPredictor", "name: PricePredictor"))
    assert "PricePredictor version 2, promoted" in told
    assert (
        aliases() == {"champion": 2, "production": 2, "previous": 1}
        and resolve(1).name == "PricePredictor"
    )


def test_lost_log_is_written_from_the_registry(first, register):
    three_decisions(register)
    before = state()
    shutil.rmtree("logs")
    with pytest.raises(
        DataError, match="has 0 lines, TinyPredictor in sqlite:.* has 4; run `make sync`"
    ):
        decisions.verify("tiny", params.load())
    sync.main([])
    assert state() == before


def test_versions_whose_files_are_nowhere_keep_their_numbers_free(two, other_store, capsys):
    shutil.rmtree("mlruns")
    other_store()
    sync.main([])
    assert "TinyPredictor: version 1 is lost: no model with its sha256" in capsys.readouterr().err
    assert aliases() == {"champion": 2, "production": 2}


def test_champion_whose_files_are_nowhere_is_told_until_a_rollback_settles_it(
    two, become, other_store
):
    shutil.rmtree("mlruns")
    become("first")
    other_store()
    paths.registration("tiny").write_text(
        paths.registration("tiny").read_text().replace(log()[1]["sha256"], log()[0]["sha256"])
    )
    with pytest.raises(
        DataError,
        match="@champion is gone, the promotion log says version 2: .* or its files are lost",
    ):
        sync.main([])
    decisions.roll_back("tiny", params.load(), 1, "version 2 is lost")
    assert aliases()["champion"] == 1 and "the log is whole" in decisions.verify(
        "tiny", params.load()
    )


def test_fresh_clone_with_the_store_of_others_gets_their_log(first, register):
    three_decisions(register)
    before = log()
    shutil.rmtree("logs")
    assert "decided on before" in register("better") and log() == before


def test_log_of_another_project_is_refused(first, register):
    files.write_text(paths.promotions("tiny"), "".join(f"{text}\n" for text in three_lines()))
    with pytest.raises(DataError, match="line 1 is not that of TinyPredictor in sqlite"):
        register("better")


@pytest.mark.parametrize("step", ["_carry_out", "write_log"])
def test_decision_cut_short_is_carried_out_by_the_next_command(first, register, monkeypatch, step):
    with monkeypatch.context() as patch:
        patch.setattr(
            decisions if step == "_carry_out" else promotion_log,
            step,
            lambda *_: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            register("better")
    assert len(log()) == 1 and aliases()["champion"] == (1 if step == "_carry_out" else 2)
    assert "the last still to be carried out: run `make sync`" in decisions.verify(
        "tiny", params.load()
    )
    assert "decided on before" in register("better")
    assert len(log()) == 2 and aliases() == {"champion": 2, "production": 2, "previous": 1}
    assert "still" not in decisions.verify("tiny", params.load())


def test_run_that_was_cut_short_before_it_became_a_version_is_replaced(register, monkeypatch):
    import mlflow

    with monkeypatch.context() as patch:
        patch.setattr(
            mlflow.MlflowClient,
            "create_model_version",
            lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt),
        )
        with pytest.raises(KeyboardInterrupt):
            register("first")
    register("first")
    client = store.client()
    experiment = client.get_experiment_by_name("Tiny-Regression").experiment_id
    assert len(client.search_runs([experiment], "tags.stage = 'register'")) == 1 and aliases() == {
        "champion": 1,
        "production": 1,
    }


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


def test_another_variant_is_another_version(first):
    variant(1)
    edit("min: 0.5", "min: 0.4")
    register_model.main(["--dataset", "tiny"])
    assert len(versions.list_versions("tiny", params.load())) == 2


@pytest.mark.slow
def test_version_of_an_earlier_commit_comes_back_from_dvcs_cache(pipeline_run, monkeypatch):
    assert shell("git add -A && git commit -qm first", pipeline_run).returncode == 0
    text = (pipeline_run / "params.yaml").read_text()
    (pipeline_run / "params.yaml").write_text(
        text.replace("ridge: {alpha: 1.0}", "ridge: {alpha: 3.0}")
    )
    assert (
        shell(
            "dvc repro register@tiny && git commit -qam second && rm -rf mlflow.db mlruns",
            pipeline_run,
        ).returncode
        == 0
    )
    done = shell("python -m ops.sync", pipeline_run)
    assert done.returncode == 0 and "TinyPredictor: version 1 registered again" in done.stderr, (
        done.stdout + done.stderr
    )
    monkeypatch.chdir(pipeline_run)
    monkeypatch.setenv(
        "MLFLOW_TRACKING_URI", f"sqlite:///{pipeline_run}/./mlflow.db"
    )  # not the connection to a lost one
    assert aliases() == {"champion": 2, "production": 2, "previous": 1}
    bundles.check(resolve(1).folder)
