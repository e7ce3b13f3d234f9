"""The live versions follow the registry's aliases; what fails its check stays out."""

import contextlib

import pandas as pd

from pipeline.models import storage
from pipeline.project import params, paths
from pipeline.registry import versions
from pipeline.serving.inference_log import reader
from pipeline.tracking.store import client as mlflow_client
from support.processes import until
from support.served import ROW, app_of, as_json, asking, roll_back, set_serving, split_rows


def test_rollback_is_live_within_seconds(served_copy):
    set_serving(reload_seconds=0.1)
    with asking(app_of("tiny")) as client:
        roll_back(2)
        until(lambda: client.get("/model-info").json()["model_version"] == 2, 5)
        tree = storage.load(paths.models("tiny", "train") / "decision_tree")
        answer = client.post("/predict", json=ROW).json()
        assert (answer["model_version"], answer["predictions"][0]["prediction"]) == (
            2,
            tree.predict(pd.DataFrame([ROW]))[0],
        )
        assert (
            'serve_reloads_total{alias="champion",outcome="swapped"} 1.0'
            in client.get("/metrics").text
        )


def test_version_that_fails_its_check_does_not_take_the_place_of_the_old_one(served_copy):
    set_serving(reload_seconds=0.1)
    with asking(app_of("tiny")) as client:
        roll_back(2)
        roll_back(1)  # so that the next is not seen before its file is changed
        until(lambda: client.get("/model-info").json()["model_version"] == 1)
        file = versions.resolve("tiny", params.load(), 2).folder / "estimator.skops"
        kept = file.read_bytes()
        with contextlib.ExitStack() as stack:
            stack.callback(file.write_bytes, kept)
            client_of_store = mlflow_client()
            file.write_bytes(kept[:100] + bytes([kept[100] ^ 1]) + kept[101:])
            client_of_store.set_registered_model_alias("TinyPredictor", "champion", "2")
            fault = until(lambda: client.get("/model-info").json()["faults"].get("champion"))
            assert (
                "estimator.skops: sha256" in fault
                and client.get("/model-info").json()["model_version"] == 1
            )
            assert client.post("/predict", json=ROW).json()["model_version"] == 1
            client_of_store.set_registered_model_alias("TinyPredictor", "champion", "1")
            until(lambda: client.get("/model-info").json()["faults"] == {})


def test_challenger_runs_along_into_the_log_only(served_copy):
    set_serving(shadow=True)
    mlflow_client().set_registered_model_alias("TinyPredictor", "challenger", "2")
    rows = as_json(split_rows()[list(ROW)])
    with asking(app_of("tiny")) as client:
        assert client.get("/model-info").json()["shadow_version"] == 2
        answer = client.post("/predict", json=rows).json()
    assert answer["model_version"] == 1 and len(answer["predictions"]) == len(rows)
    shadow = reader.read_log("tiny", shadow=True)
    tree = storage.load(paths.models("tiny", "train") / "decision_tree")
    assert shadow.version == 2 and list(shadow.rows["request_id"]) == [answer["request_id"]] * len(
        rows
    )
    assert shadow.rows["prediction"].tolist() == tree.predict(split_rows()).tolist()
    assert reader.read_log("tiny").version == 1


def test_no_challenger_is_no_fault(served_copy):
    set_serving(shadow=True, reload_seconds=0.1)
    store = mlflow_client()
    store.delete_registered_model_alias("TinyPredictor", "challenger")
    with asking(app_of("tiny")) as client:
        assert client.get("/model-info").json()["shadow_version"] is None
        store.set_registered_model_alias("TinyPredictor", "challenger", "2")
        until(lambda: client.get("/model-info").json()["shadow_version"] == 2)
        store.delete_registered_model_alias("TinyPredictor", "challenger")
        until(lambda: client.get("/model-info").json()["shadow_version"] is None)
        assert client.get("/model-info").json()["faults"] == {}


def test_alias_that_is_gone_and_files_that_change_leave_what_is_served(served_copy):
    set_serving(reload_seconds=0.1)
    with asking(app_of("tiny")) as client:
        file = versions.resolve("tiny", params.load()).folder / "estimator.skops"
        kept = file.read_bytes()
        store = mlflow_client()
        with contextlib.ExitStack() as stack:
            stack.callback(file.write_bytes, kept)
            file.write_bytes(kept[:-1])  # it is in memory
            store.delete_registered_model_alias("TinyPredictor", "champion")
            fault = until(lambda: client.get("/model-info").json()["faults"].get("champion"))
            assert fault.startswith("TinyPredictor: no @champion in sqlite:")
            assert (
                client.post("/predict", json=ROW).json()["model_version"] == 1
                and client.get("/ready").status_code == 200
            )
        store.set_registered_model_alias("TinyPredictor", "champion", "1")
        until(lambda: client.get("/model-info").json()["faults"] == {})
