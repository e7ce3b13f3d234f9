"""The user's own features, transformer and models go through every stage, and are served."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import compare_results
import evaluate
import generate_data
import predict
import prepare_data
import register_model
import rollback
import train
import tune_hyperparameters
import validate_metrics
from ops import doctor_own_code
from pipeline.data import splits
from pipeline.models import storage
from pipeline.project import files, params, paths
from pipeline.project.errors import DataError, UsageError
from pipeline.training import predictions
from support import own_code
from support.served import app_of, as_json, asking

ONE = ["--dataset", "tiny"]


@pytest.fixture
def own(project) -> Path:
    own_code.write(project)
    generate_data.generate("tiny", params.load())
    return project


def prepare_and_train() -> None:
    settings = params.load()
    prepare_data.prepare("tiny", settings)
    train.train("tiny", settings)


@pytest.mark.slow
def test_every_answer_is_the_stored_prediction_and_that_of_predict(own, monkeypatch, capsys):
    prepare_and_train()
    tune_hyperparameters.main(ONE)
    compare_results.main([])
    validate_metrics.main(ONE)
    register_model.main(ONE)
    best = files.read_json(paths.best("tiny"), "compare")
    test = splits.read_split("tiny", "test")
    inputs = ["size", "town", "age"]
    test[inputs].to_csv("rows.csv", index=False)
    predict.main([*ONE, "--input", "rows.csv", "--output", "out.csv"])
    stored = predictions.read_output(
        "tiny", best["stage"], best["candidate"], predictions.TEST, None, test.index
    )
    told = pd.read_csv("out.csv")["prediction"].to_numpy()
    with asking(app_of("tiny")) as client:
        info = client.get("/model-info").json()
        rows = as_json(test[inputs])
        answers = [client.post("/predict", json=row).json()["predictions"][0] for row in rows]
    assert list(info["features"]) == inputs and info["compiled"]
    asked = np.array([answer["prediction"] for answer in answers])
    np.testing.assert_allclose(told, stored, rtol=1e-12)
    np.testing.assert_allclose(asked, stored, rtol=1e-12)
    for name in ("nearest", "svr"):
        model = storage.load(paths.models("tiny", "train") / name)
        kept = predictions.read_output("tiny", "train", name, predictions.TEST, None, test.index)
        np.testing.assert_allclose(model.predict(test), kept, rtol=1e-12)

    _change_the_code(own, monkeypatch)
    command = [*ONE, "--input", "rows.csv", "--output", "out.csv"]
    with pytest.raises(DataError, match="has the sha256 .* here, and the model was made with"):
        predict.main(command)
    with pytest.raises(DataError, match="--trust-code runs the copy beside the model"):
        app_of("tiny")
    with pytest.raises(DataError, match="check out the commit"):
        evaluate.main([*ONE, "--version", "champion"])
    before = Path("out.csv").read_text()
    predict.main([*command, "--trust-code"])
    assert Path("out.csv").read_text() == before

    # the champion's code is in no commit, and no longer in the checkout
    prepare_and_train()
    tune_hyperparameters.main(ONE)
    compare_results.main([])
    validate_metrics.main(ONE)
    _forget_the_code(monkeypatch)
    register_model.main(ONE)
    assert "--trust-code runs the copy beside the model" in capsys.readouterr().out
    register_model.main([*ONE, "--trust-code"])
    assert "against the champion's" in capsys.readouterr().out
    rollback.main([*ONE, "--to", "2"])
    _forget_the_code(monkeypatch)
    with pytest.raises(DataError, match="--trust-code runs the copy"):
        rollback.main([*ONE, "--to", "1"])
    rollback.main([*ONE, "--to", "1", "--trust-code"])


def _change_the_code(project: Path, monkeypatch) -> None:
    """Write another version of the user's file; the one that ran is forgotten."""
    code = own_code.CODE.replace('"age"] // 10', '"age"] // 20')
    assert code != own_code.CODE
    (project / "features/tiny.py").write_text(code)
    _forget_the_code(monkeypatch)


def _forget_the_code(monkeypatch) -> None:
    """Forget what ran of the user's file, as a restart does."""
    for name in [name for name in sys.modules if name.startswith("own_tiny_")]:
        monkeypatch.delitem(sys.modules, name)


def test_models_say_which_version_of_the_code_made_them_and_carry_a_copy(own, monkeypatch):
    own_code.write(own, params=own_code.PARAMS.replace("[dummy, nearest, svr]", "[nearest]"))
    prepare_and_train()
    folder = paths.models("tiny", "train") / "nearest"
    metadata = files.read_json(folder / "metadata.json", "train")
    sha256 = files.digest("features/tiny.py")
    assert metadata["own"] == {
        "features": "features/tiny.py",
        "transformers": ["features/tiny.py:TownMeans"],
        "code": {"features/tiny.py": sha256},
    }
    assert files.digest(folder / "code/features/tiny.py") == sha256
    assert files.read_json(paths.metrics("tiny", "quality"), "prepare")["code"] == {
        "features/tiny.py": sha256
    }
    (folder / "code/features/tiny.py").write_text("print('not me')")
    with pytest.raises(DataError, match="the file was changed"):
        storage.load(folder, trust_code=True)
    _change_the_code(own, monkeypatch)
    with pytest.raises(DataError, match="prepared without this features/tiny.py; run `python pre"):
        train.train("tiny", params.load())


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('frame["big"] = ', 'frame["big"] = frame["size"].rank() + ', "it looks at other rows"),
        ('frame["big"] = ', 'frame["big"] = frame["price"] + ', "raises KeyError: 'price'"),
        ('return frame.drop(columns="age")', "return frame.dropna()", "rows; return every row"),
        ("import numpy as np", "import no_such_package", "imports 'no_such_package'"),
        ("def features(frame)", "def feature(frame)", "has no 'features'; it defines 'feature'"),
        ("class TownMeans", "class Towns", "has no 'TownMeans'"),
    ],
)
def test_prepare_refuses_code_that_cannot_be_relied_on_and_writes_nothing(own, old, new, message):
    assert old in own_code.CODE
    own_code.write(own, own_code.CODE.replace(old, new))
    with pytest.raises((DataError, UsageError), match=message):
        prepare_data.prepare("tiny", params.load())
    assert not paths.processed("tiny").exists()


def test_the_doctor_names_a_file_that_was_changed_is_gone_or_does_not_run(own, monkeypatch):
    own_code.write(own, params=own_code.PARAMS.replace("[dummy, nearest, svr]", "[nearest]"))
    prepare_and_train()
    assert doctor_own_code.own_code() == []
    _change_the_code(own, monkeypatch)
    prepared, trained = doctor_own_code.own_code()
    assert not prepared.wrong and "the version that tiny was prepared with" in prepared.problem
    assert not trained.wrong and "that models of tiny were trained with" in trained.problem
    for code, problem in (
        ("import no_such_package\n", "line 1 imports 'no_such_package', which is not installed"),
        ("def features(frame:\n", "features/tiny.py line 1 is not Python"),
        (None, "features/tiny.py is not there"),
    ):
        file = own / "features/tiny.py"
        file.write_text(code) if code else file.unlink()
        (fault,) = doctor_own_code.own_code()
        assert fault.wrong and problem in fault.problem and fault.remedy


def test_model_whose_class_is_not_an_estimator_is_refused_before_any_fit(own):
    own_code.write(own, params=own_code.PARAMS.replace("tiny.py:Nearest", "tiny.py:features"))
    with pytest.raises(UsageError, match="class features/tiny.py:features is not"):
        train.train("tiny", params.load())


def test_error_in_an_own_model_is_told_with_its_line(own):
    code = own_code.CODE.replace("return self.y_[nearest].mean(axis=1)", "return self.nope_")
    assert code != own_code.CODE
    own_code.write(own, code, own_code.PARAMS.replace("[dummy, nearest, svr]", "[nearest]"))
    prepare_data.prepare("tiny", params.load())
    message = r"nearest cannot be fitted with .*: features/tiny.py line \d+ raises AttributeError"
    with pytest.raises(UsageError, match=message):
        train.train("tiny", params.load())
