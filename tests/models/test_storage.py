"""A stored model: its bytes repeat, and it loads as it was saved or not at all."""

import json
import pickle

import numpy as np
import pytest

from pipeline.models import catalogue, storage
from pipeline.project import files
from pipeline.project.errors import DataError
from support.model_cases import CASES, CLASSES, NEW_ROWS, fit, save


@pytest.mark.parametrize("case", CASES)
def test_two_saves_and_two_processes_give_the_same_bytes(case, processes):
    contents = [
        {path.name: path.read_bytes() for path in files.folder_files(folder / case / part)}
        for folder in processes
        for part in ("first", "second")
    ]
    assert set(contents[0]) == {
        "metadata.json",
        "preprocessing.skops",
        f"estimator{catalogue.FAMILIES[case.split('-')[0]].suffix}",
    }
    assert contents[0] == contents[1] == contents[2] == contents[3]


@pytest.mark.parametrize("case", CASES)
def test_model_that_came_from_another_process_has_the_same_bytes(case, tmp_path):
    model = fit(case)
    assert (
        save(model, tmp_path / "here")["files"]
        == save(pickle.loads(pickle.dumps(model)), tmp_path / "elsewhere")["files"]
    )


def test_what_follows_the_place_in_memory_is_not_stored():
    assert not hasattr(
        fit("lasso-regression").estimator, "dual_gap_"
    )  # 2 values in 60 fits of 1,168 x 298 house prices


@pytest.mark.parametrize("case", CASES)
def test_loaded_model_gives_the_very_output_of_the_saved_one(case, processes):
    model = storage.load(processes[0] / case / "first")
    output, expected = model.output(NEW_ROWS), np.load(processes[0] / case / "output.npy")
    np.testing.assert_array_equal(output, expected)
    classes = CLASSES[case.split("-")[1]]
    assert output.shape == ((len(NEW_ROWS),) if classes is None else (len(NEW_ROWS), len(classes)))
    if classes is None:
        np.testing.assert_array_equal(model.predict(NEW_ROWS), expected)
    else:
        np.testing.assert_allclose(output.sum(axis=1), 1, atol=1e-6)
        by_threshold = expected[:, 1] >= 0.4 if len(classes) == 2 else expected.argmax(axis=1)
        assert (
            model.predict(NEW_ROWS).tolist() == np.array(classes)[by_threshold.astype(int)].tolist()
        )


@pytest.mark.parametrize("case", CASES)
def test_flipped_byte_in_any_stored_file_is_refused_with_both_hashes(case, stored):
    folder = stored(case)
    for name, recorded in json.loads((folder / "metadata.json").read_text())["files"].items():
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(
            whole[: len(whole) // 2]
            + bytes([whole[len(whole) // 2] ^ 1])
            + whole[len(whole) // 2 + 1 :]
        )
        with pytest.raises(
            DataError,
            match=f"{name}: sha256 {files.digest(folder / name)} is not the recorded {recorded}",
        ):
            storage.load(folder)
        (folder / name).write_bytes(whole)
    storage.load(folder)


@pytest.mark.parametrize(
    "key, value",
    [
        ("threshold", 0.5),
        ("classes", ["yes", "no"]),
        ("name", "decision_tree"),
        ("target_transform", "log1p"),
        ("features", {"size": "category"}),
        ("files", {}),
    ],
)
def test_edited_metadata_is_refused(key, value, stored):
    folder = stored("logistic_regression-two")
    metadata = json.loads((folder / "metadata.json").read_text())
    recorded = metadata["model_sha256"]
    files.write_json(folder / "metadata.json", metadata | {key: value})
    with pytest.raises(
        DataError, match=f"metadata.json: sha256 [0-9a-f]{{64}} is not the recorded {recorded}"
    ):
        storage.load(folder)


def test_missing_file_is_refused_by_name(stored):
    folder = stored("ridge-regression")
    (folder / "estimator.skops").unlink()
    with pytest.raises(DataError, match=r"estimator.skops is not there"):
        storage.load(folder)
    (folder / "metadata.json").unlink()
    with pytest.raises(DataError, match=r"metadata.json is not there"):
        storage.load(folder)


def test_mlflow_loads_a_model_through_the_function_it_asks_for(processes):
    folder = processes[0] / "lightgbm-two" / "first"
    assert (
        storage._load_pyfunc(str(folder)).predict(NEW_ROWS).tolist()
        == storage.load(folder).predict(NEW_ROWS).tolist()
    )
