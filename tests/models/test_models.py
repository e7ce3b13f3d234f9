"""Models repeat byte by byte, load as they were saved or not at all, and say their output in the user's terms."""

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from pipeline.data import kinds
from pipeline.models import archive, catalogue, fitting, preprocessing, storage
from pipeline.models.spec import from_json
from pipeline.project import files
from pipeline.project.errors import DataError, UsageError
from pipeline.scoring import thresholds
from support.processes import ROOT

SMALL = {
    "random_forest": {"n_estimators": 5},
    "gradient_boosting": {"max_iter": 5},
    "xgboost": {"n_estimators": 5},
    "lightgbm": {"n_estimators": 5, "min_child_samples": 2},
    "catboost": {"iterations": 5},
}
LONGER = {
    "gradient_boosting": {"max_iter": 30},
    "xgboost": {"n_estimators": 30},
    "lightgbm": {"n_estimators": 30},
    "catboost": {"iterations": 30},
}
CLASSES = {"regression": None, "two": ["no", "yes"], "three": ["p", "q", "r"]}
CASES = [
    f"{name}-{kind}"
    for name, family in catalogue.FAMILIES.items()
    for kind in CLASSES
    if getattr(family, "regression" if kind == "regression" else "classification")
]


def rows(seed, towns=("a", "b", "c"), n=120):
    """Return typed features with missing numbers and categories."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "size": rng.normal(size=n).round(2),
            "age": rng.integers(0, 60, n).astype(float),
            "town": pd.Series(rng.choice(towns, n)).astype("str"),
        }
    )
    X.loc[::7, "size"] = np.nan
    X.loc[::11, "town"] = None
    return X


X, NEW_ROWS = rows(0), rows(1, towns=("a", "b", "elsewhere"))
BASE = (
    X["age"].to_numpy()
    + 10 * (X["town"] == "a").to_numpy()
    + np.random.default_rng(2).normal(size=len(X))
)
RARE = {
    "two": np.arange(120) % 6 == 0,
    "three": (np.arange(120) % 6 == 0) + 2 * (np.arange(120) % 10 == 1),
}
TARGETS = {
    "regression": BASE,
    "two": (BASE > 45).astype(int),
    "three": (BASE > 40).astype(int) + (BASE > 52),
}


def spec(name, kind, **other):
    task = "regression" if kind == "regression" else "classification"
    columns = kinds.kinds_of(X)
    content = {
        "name": name,
        "task": task,
        "inputs": columns,
        "features": columns,
        "target": "price",
        "target_transform": "none",
        "classes": CLASSES[kind],
        "threshold": 0.4 if kind == "two" else None,
        **other,
    }
    return from_json(content)


def fit(case, hyperparameters=None, resampling="none", y=None, **other):
    name, kind = case.split("-")
    settings = {**SMALL.get(name, {}), **(hyperparameters or {})}
    return fitting.fit(
        spec(name, kind, **other), settings, X, TARGETS[kind] if y is None else y, 7, resampling
    )


def save(model, folder):
    folder.mkdir(parents=True)
    return storage.save(model, folder, {"dataset": "tiny"})


def fit_and_save_all(folder):
    """Fit every family for every task; save each twice, with its output on new rows."""
    for case in CASES:
        model = fit(case)
        save(model, folder / case / "first")
        save(model, folder / case / "second")
        np.save(folder / case / "output.npy", model.output(NEW_ROWS))


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """The folders of two processes that fitted and saved the same; their hashes of text differ, as from run to run."""
    folders = [tmp_path_factory.mktemp("process") for _ in range(2)]
    for number, folder in enumerate(folders, start=1):
        code = f"import pathlib; import test_models; test_models.fit_and_save_all(pathlib.Path({str(folder)!r}))"
        environment = {
            **os.environ,
            "PYTHONHASHSEED": str(number),
            "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}{os.pathsep}{ROOT / 'tests/models'}",
        }
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            cwd=folder,
        )
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert sorted(os.listdir(folder)) == sorted(CASES)  # no library left files of its own
    return folders


@pytest.fixture
def stored(processes, tmp_path):
    """Return a function that copies a stored model, to be damaged."""
    return lambda case: Path(shutil.copytree(processes[0] / case / "first", tmp_path / case))


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


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("dummy")])
def test_model_has_learnt_what_the_rows_tell(case):
    name, kind = case.split("-")
    model = fit(case, LONGER.get(name))
    if kind == "regression":
        assert np.corrcoef(model.output(X), BASE)[0, 1] > 0.8
    else:
        assert (model.output(X).argmax(axis=1) == TARGETS[kind]).mean() > 0.7


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


def signed(folder):
    """Write the hashes of changed files into the metadata, as one who forges a model would."""
    metadata = json.loads((folder / "metadata.json").read_text())
    metadata["files"] = {name: files.digest(folder / name) for name in metadata["files"]}
    metadata["model_sha256"] = storage.model_hash(metadata["files"], from_json(metadata))
    files.write_json(folder / "metadata.json", metadata)


@pytest.mark.parametrize(
    "content, named",
    [
        (FunctionTransformer(func=os.system), r"system"),
        (FunctionTransformer(func=print), r"print"),
        (functools.partial(os.system, "true"), r"functools.partial|system"),
        (FunctionTransformer(func=rows), r"test_models.rows"),
    ],
)
@pytest.mark.parametrize("name", ["preprocessing.skops", "estimator.skops"])
def test_type_that_is_not_on_the_list_is_refused_even_with_right_hashes(
    content, named, name, stored
):
    folder = stored("ridge-regression")
    skops.io.dump(content, folder / name)
    signed(folder)
    with pytest.raises(
        DataError, match=rf"{name}: holds .*({named}).*, which is not on the list of reviewed types"
    ):
        storage.load(folder)


@pytest.mark.parametrize(
    "name, task, hyperparameters, message",
    [
        (
            "forest",
            "regression",
            {},
            "x: unknown model 'forest'; known: dummy, linear_regression, logistic_regression, ridge, ",
        ),
        (
            "ridge",
            "classification",
            {},
            "x: ridge is no model for classification; use logistic_regression",
        ),
        (
            "lasso",
            "classification",
            {},
            "x: lasso is no model for classification; use logistic_regression",
        ),
        (
            "linear_regression",
            "classification",
            {},
            "x: linear_regression is no model for classification; use logistic_regression",
        ),
        (
            "logistic_regression",
            "regression",
            {},
            "x: logistic_regression is no model for regression; use linear_regression",
        ),
        (
            "ridge",
            "regression",
            {"alfa": 1},
            "x: ridge has no hyperparameter 'alfa'; it has: alpha, ",
        ),
        (
            "xgboost",
            "regression",
            {"trees": 1},
            "x: xgboost has no hyperparameter 'trees'; it has: .*learning_rate.*n_estimators",
        ),
        ("catboost", "classification", {"self": 1}, "x: catboost has no hyperparameter 'self'"),
        (
            "gradient_boosting",
            "regression",
            {"early_stopping": True},
            "x: gradient_boosting's early_stopping is fixed, so that",
        ),
        (
            "lightgbm",
            "regression",
            {"deterministic": False},
            "x: lightgbm's deterministic is fixed, so that results repeat; remove",
        ),
        ("xgboost", "classification", {"n_jobs": 4}, "x: xgboost's n_jobs is fixed"),
        ("catboost", "regression", {"thread_count": 4}, "x: catboost's thread_count is fixed"),
    ],
)
def test_wrong_model_or_hyperparameter_is_refused_with_what_there_is(
    name, task, hyperparameters, message
):
    with pytest.raises(UsageError, match=message):
        catalogue.check_model(name, task, hyperparameters, "x")


@pytest.mark.parametrize("case", CASES)
def test_every_family_takes_its_own_settings_and_the_seed(case):
    name, kind = case.split("-")
    task = "regression" if kind == "regression" else "classification"
    catalogue.check_model(name, task, SMALL.get(name, {}), "x")
    taken = catalogue.unfitted_estimator(name, task, SMALL.get(name, {}), seed=7).get_params()
    wanted = {**SMALL.get(name, {}), **catalogue.FAMILIES[name].fixed}
    assert {setting: taken[setting] for setting in wanted} == wanted
    assert taken.get("random_state", 7) == 7


def test_lightgbm_takes_the_settings_that_its_class_does_not_name():
    catalogue.check_model(
        "lightgbm", "classification", {"scale_pos_weight": 3.0, "extra_trees": True}, "x"
    )


@pytest.mark.parametrize("name", ["xgboost", "lightgbm", "catboost"])
def test_balanced_weight_is_negatives_per_positive_of_the_fitted_rows(name):
    y = RARE["two"].astype(int)
    plain, weighted = (
        fit(f"{name}-two", {**LONGER[name], **more}, y=y)
        for more in ({}, {"scale_pos_weight": "balanced"})
    )
    assert weighted.estimator.get_params()["scale_pos_weight"] == 100 / 20
    assert weighted.output(X)[y == 1, 1].mean() > plain.output(X)[y == 1, 1].mean() + 0.02


@pytest.mark.parametrize("case", ["xgboost-three", "xgboost-regression"])
def test_balanced_weight_is_refused_where_there_are_not_two_classes(case):
    with pytest.raises(UsageError, match="xgboost: scale_pos_weight: balanced is for two classes"):
        fit(case, {"scale_pos_weight": "balanced"})


@pytest.mark.parametrize("resampling", ["smote", "undersample"])
@pytest.mark.parametrize("kind", ["two", "three"])
def test_resampling_balances_the_classes_of_a_fit_and_no_prediction(resampling, kind):
    y = RARE[kind].astype(int)
    as_they_are, balanced = (
        fit(f"dummy-{kind}", {"strategy": "prior"}, how, y).output(NEW_ROWS)
        for how in ("none", resampling)
    )
    shares = np.bincount(y) / len(y)
    np.testing.assert_allclose(as_they_are, np.tile(shares, (len(NEW_ROWS), 1)))
    np.testing.assert_allclose(balanced, np.full((len(NEW_ROWS), len(shares)), 1 / len(shares)))


@pytest.mark.parametrize("resampling", ["smote", "undersample"])
@pytest.mark.parametrize(
    "name", ["logistic_regression", "random_forest", "lightgbm", "xgboost", "catboost"]
)
def test_resampled_fit_prepares_rows_as_the_plain_one_does_and_saves_and_loads(
    name, resampling, tmp_path
):
    y = RARE["two"].astype(int)
    plain, resampled = (fit(f"{name}-two", resampling=how, y=y) for how in ("none", resampling))
    assert archive.skops_bytes(resampled.preprocessing) == archive.skops_bytes(plain.preprocessing)
    assert resampled.output(X)[:, 1].mean() > plain.output(X)[:, 1].mean() + 0.05
    save(resampled, tmp_path / "model")
    np.testing.assert_array_equal(
        storage.load(tmp_path / "model").output(NEW_ROWS), resampled.output(NEW_ROWS)
    )


@pytest.mark.parametrize("encoding", ["filled", "native", "integer"])
def test_smote_makes_up_no_category_and_keeps_the_missing_ones(encoding):
    y = RARE["two"].astype(int)
    Z = preprocessing.unfitted_preprocessing(kinds.kinds_of(X), encoding).fit_transform(X)
    drawn, balanced = fitting._resample(Z, y, [2], "smote", 7)
    assert np.bincount(balanced).tolist() == [100, 100]
    before, after = (set(np.asarray(table, dtype=float)[:, 2].astype(str)) for table in (Z, drawn))
    assert after == before and len(before) == 4
    known = ~np.isnan(np.asarray(Z, dtype=float)).any(axis=1)
    np.testing.assert_array_equal(np.asarray(drawn)[:120][known], np.asarray(Z)[known])
    assert type(drawn) is type(Z)
    if isinstance(Z, pd.DataFrame):
        assert drawn.dtypes.to_dict() == Z.dtypes.to_dict()


def test_smote_needs_two_rows_of_a_class():
    with pytest.raises(
        DataError, match="a class has 1 row in a fold and needs 2; use undersample or none"
    ):
        fit("dummy-two", resampling="smote", y=(np.arange(120) == 0).astype(int))


def test_target_that_is_fitted_as_a_logarithm_is_predicted_on_its_own_scale(tmp_path):
    y = np.exp(BASE / 10)
    dummy = fit("dummy-regression", y=y, target_transform="log1p")
    np.testing.assert_allclose(dummy.predict(NEW_ROWS), np.expm1(np.log1p(y).mean()))
    model = fit("random_forest-regression", y=y, target_transform="log1p")
    assert (
        np.corrcoef(model.predict(X), y)[0, 1] > 0.9
        and abs(np.log(model.predict(X).mean() / y.mean())) < 0.2
    )
    save(model, tmp_path / "model")
    np.testing.assert_array_equal(
        storage.load(tmp_path / "model").predict(NEW_ROWS), model.predict(NEW_ROWS)
    )


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.7, 1.1])
def test_predicted_class_is_the_positive_one_from_the_threshold_on(threshold):
    model = fit("logistic_regression-two", threshold=threshold)
    positive = model.predict_proba(NEW_ROWS)[:, 1] >= threshold
    assert model.predict(NEW_ROWS).tolist() == np.where(positive, "yes", "no").tolist()
    assert positive.any() or threshold > 1
    assert thresholds.decide(np.array([[0.5, 0.5]]), 0.5).tolist() == [1]


def test_rows_as_a_user_has_them_are_predicted_like_typed_ones():
    model = fit("xgboost-two")
    as_text = NEW_ROWS.assign(age=NEW_ROWS["age"].astype(int).astype(str), extra=1)[
        ["extra", "town", "age", "size"]
    ]
    np.testing.assert_array_equal(model.predict_proba(as_text), model.output(NEW_ROWS))
    with pytest.raises(DataError, match="no column 'town', which the model needs"):
        model.predict(NEW_ROWS.drop(columns="town"))


def test_mlflow_loads_a_model_through_the_function_it_asks_for(processes):
    folder = processes[0] / "lightgbm-two" / "first"
    assert (
        storage._load_pyfunc(str(folder)).predict(NEW_ROWS).tolist()
        == storage.load(folder).predict(NEW_ROWS).tolist()
    )


@pytest.mark.parametrize("case", CASES)
def test_model_that_came_from_another_process_has_the_same_bytes(case, tmp_path):
    import pickle

    model = fit(case)
    assert (
        save(model, tmp_path / "here")["files"]
        == save(pickle.loads(pickle.dumps(model)), tmp_path / "elsewhere")["files"]
    )
