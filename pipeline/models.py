"""Models: name -> estimator, fitting, prediction, and files that run no code when they are loaded.

A stored model is a folder: `preprocessing.skops`, the estimator in its library's own format or skops, and `metadata.json`, which
holds what prediction needs beside them and the sha256 of both. A blend has an estimator per member, and a preprocessing per
encoding. The bytes repeat: equal fits give equal files.
"""

import importlib
import inspect
import io
import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline import features, files
from pipeline.errors import DataError, UsageError


@dataclass(frozen=True)
class Family:
    """A kind of model: its class for each task, its table's encoding, its file's ending, and settings that are not the user's."""

    regression: str | None
    classification: str | None
    encoding: str
    suffix: str
    fixed: dict


BOOSTER_THREADS = 1         # LightGBM and CatBoost store the number of threads in the file, which has to repeat
FAMILIES = {                # from the simplest to the least simple: a tie goes to the simpler
    "dummy": Family("sklearn.dummy.DummyRegressor", "sklearn.dummy.DummyClassifier", "native", ".skops", {}),
    "linear_regression": Family("sklearn.linear_model.LinearRegression", None, "scaled", ".skops", {}),
    "logistic_regression": Family(None, "sklearn.linear_model.LogisticRegression", "scaled", ".skops", {}),
    "ridge": Family("sklearn.linear_model.Ridge", None, "scaled", ".skops", {}),
    "lasso": Family("sklearn.linear_model.Lasso", None, "scaled", ".skops", {}),
    "decision_tree": Family("sklearn.tree.DecisionTreeRegressor", "sklearn.tree.DecisionTreeClassifier", "filled", ".skops", {}),
    "random_forest": Family("sklearn.ensemble.RandomForestRegressor", "sklearn.ensemble.RandomForestClassifier", "filled",
                            ".skops", {}),
    "gradient_boosting": Family("sklearn.ensemble.HistGradientBoostingRegressor",
                                "sklearn.ensemble.HistGradientBoostingClassifier", "native", ".skops", {"early_stopping": False}),
    "lightgbm": Family("lightgbm.LGBMRegressor", "lightgbm.LGBMClassifier", "native", ".txt",
                       {"n_jobs": BOOSTER_THREADS, "deterministic": True, "force_row_wise": True, "feature_pre_filter": False,
                        "verbosity": -1}),
    "xgboost": Family("xgboost.XGBRegressor", "xgboost.XGBClassifier", "native", ".ubj",
                      {"n_jobs": BOOSTER_THREADS, "tree_method": "hist", "enable_categorical": True, "verbosity": 0}),
    "catboost": Family("catboost.CatBoostRegressor", "catboost.CatBoostClassifier", "integer", ".cbm",
                       {"thread_count": BOOSTER_THREADS, "verbose": False, "allow_writing_files": False}),
}
COUNTERPARTS = {"linear_regression": "logistic_regression", "ridge": "logistic_regression", "lasso": "logistic_regression",
                "logistic_regression": "linear_regression"}

# LightGBM's class takes these too, beside the arguments that it names; https://lightgbm.readthedocs.io/en/stable/Parameters.html
LIGHTGBM_SETTINGS = {"scale_pos_weight", "is_unbalance", "max_bin", "min_data_in_bin", "extra_trees", "feature_fraction_bynode",
                     "path_smooth", "linear_tree", "cat_smooth", "cat_l2", "max_cat_threshold", "min_data_per_group"}

# Types beyond skops's own that a stored model may hold; each was read: none runs code when it is built from its state.
TRUSTED_TYPES = ("numpy.dtype", "sklearn.tree._tree.Tree", "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor")


def check(name: str, task: str, hyperparameters: dict, where: str) -> None:
    """Raise UsageError where there is no such model, it is of the other task, or it has no such hyperparameter."""
    if name not in FAMILIES:
        raise UsageError(f"{where}: unknown model {name!r}; known: {', '.join(FAMILIES)}")
    if getattr(FAMILIES[name], task) is None:
        raise UsageError(f"{where}: {name} is no model for {task}; use {COUNTERPARTS[name]}")
    known = _settings(name, task)
    for setting in hyperparameters:
        if setting not in known:
            raise UsageError(f"{where}: {name} has no hyperparameter {setting!r}; it has: {', '.join(sorted(known))}")
        if setting in FAMILIES[name].fixed:
            raise UsageError(f"{where}: {name}'s {setting} is fixed, so that results repeat; remove it")


def estimator(name: str, task: str, hyperparameters: dict, seed: int):
    """Return the unfitted estimator of a model with the user's hyperparameters, one thread and the seed."""
    settings = {**hyperparameters, **FAMILIES[name].fixed}
    if "random_state" in _settings(name, task):
        settings.setdefault("random_state", seed)
    return _estimator_class(name, task)(**settings)


def _estimator_class(name: str, task: str):
    module, _, attribute = getattr(FAMILIES[name], task).rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _settings(name: str, task: str) -> set[str]:
    """Return the names of all hyperparameters; XGBoost's classes take theirs from a class above them."""
    names = LIGHTGBM_SETTINGS | set(FAMILIES[name].fixed) if name == "lightgbm" else set()
    for cls in _estimator_class(name, task).__mro__[:-1]:
        if "__init__" in vars(cls):
            names |= {parameter.name for parameter in inspect.signature(cls.__init__).parameters.values()
                      if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)}
    return names - {"self"}


class Fitted:
    """What a model and a blend have in common: from typed features to their output, and that in the user's terms."""

    def output(self, X: pd.DataFrame) -> np.ndarray:
        """Return numbers of shape (rows,), or class probabilities of shape (rows, classes), for typed features."""
        return self.estimator_output(self.transform(X))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the class probabilities, in the order of spec["classes"], of rows as a user has them."""
        return self.output(features.conform(frame, self.spec["features"]))

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the predicted numbers or class labels of rows as a user has them; a binary class by the stored threshold."""
        output = self.predict_proba(frame)
        if self.spec["task"] == "regression":
            return output
        return np.array(self.spec["classes"])[decide(output, self.spec["threshold"])]


@dataclass(frozen=True)
class Model(Fitted):
    """A fitted preprocessing and estimator, and what is needed to say their output in the user's terms.

    `spec` holds name, task, features ({column: kind}), target, target_transform, classes and threshold.
    """

    preprocessing: object
    estimator: object
    spec: dict

    def transform(self, X: pd.DataFrame):
        """Return the table that the estimator takes."""
        return self.preprocessing.transform(X)

    def columns(self) -> list[str]:
        """Return, for each column of that table, the feature it comes from."""
        return features.output_columns(self.preprocessing)

    def estimator_output(self, Z) -> np.ndarray:
        """Return the same for a table that is preprocessed already."""
        if self.spec["task"] == "regression":
            prediction = np.asarray(self.estimator.predict(Z), dtype=np.float64)
            return np.expm1(prediction) if self.spec["target_transform"] == "log1p" else prediction
        if hasattr(self.estimator, "predict_proba"):
            return np.asarray(self.estimator.predict_proba(Z), dtype=np.float64)
        probabilities = np.asarray(self.estimator.predict(Z), dtype=np.float64)  # a stored LightGBM model is a bare Booster
        return probabilities if probabilities.ndim == 2 else np.column_stack([1 - probabilities, probabilities])


@dataclass(frozen=True)
class Blend(Fitted):
    """A weighted mean of models that were fitted on the same rows, so that those of one encoding share a preprocessing.

    Its `spec` is that of a model, with `members` besides: the name, target_transform and weight of each.
    """

    preprocessings: dict[str, object]       # by encoding
    models: tuple[Model, ...]
    spec: dict

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the tables of all preprocessings, side by side."""
        return np.hstack([np.asarray(part.transform(X), dtype=np.float64) for part in self.preprocessings.values()])

    def columns(self) -> list[str]:
        """Return, for each column of that table, the feature it comes from."""
        return [column for part in self.preprocessings.values() for column in features.output_columns(part)]

    def estimator_output(self, Z: np.ndarray) -> np.ndarray:
        """Return the weighted mean of the members' output."""
        ends = np.cumsum([len(features.output_columns(part)) for part in self.preprocessings.values()])
        tables = {encoding: features.as_put_out(part, encoding, values) for (encoding, part), values
                  in zip(self.preprocessings.items(), np.split(Z, ends[:-1], axis=1))}
        return sum(member["weight"] * model.estimator_output(tables[FAMILIES[member["name"]].encoding])
                   for member, model in zip(self.spec["members"], self.models))


def blend(models: list[Model], weights: list[float], spec: dict) -> Blend:
    """Return the weighted mean of models that were fitted on the same rows; `spec` is that of any of them."""
    preprocessings = {FAMILIES[model.spec["name"]].encoding: model.preprocessing for model in models}
    members = [{"name": model.spec["name"], "target_transform": model.spec["target_transform"], "weight": weight}
               for model, weight in zip(models, weights)]
    return Blend(preprocessings, tuple(models), {**spec, "name": "blend", "target_transform": "none", "members": members})


def decide(probabilities: np.ndarray, threshold: float | None) -> np.ndarray:
    """Return the class number of each row: the likeliest, or with two classes the second from the threshold on."""
    if threshold is None:
        return probabilities.argmax(axis=1)
    return (probabilities[:, 1] >= threshold).astype(int)


# what XGBoost and CatBoost take where nothing is said; their classes name None, the others the value
BOOSTER_DEFAULTS = {
    "xgboost": {"n_estimators": 100, "max_depth": 6, "learning_rate": 0.3, "min_child_weight": 1.0, "subsample": 1.0,
                "colsample_bytree": 1.0, "reg_lambda": 1.0, "reg_alpha": 0.0, "gamma": 0.0, "max_bin": 256},
    "catboost": {"iterations": 1000, "depth": 6, "l2_leaf_reg": 3.0, "random_strength": 1.0, "bagging_temperature": 1.0,
                 "max_ctr_complexity": 4, "one_hot_max_size": 2},
    "lightgbm": {"extra_trees": False, "max_bin": 255, "path_smooth": 0.0},
}


def default(name: str, task: str, setting: str):
    """Return the value that a hyperparameter has where nothing is said; None where it is not known."""
    if setting in BOOSTER_DEFAULTS.get(name, {}):
        return BOOSTER_DEFAULTS[name][setting]
    parameter = inspect.signature(_estimator_class(name, task).__init__).parameters.get(setting)
    return None if parameter is None or parameter.default is inspect.Parameter.empty else parameter.default


@dataclass(frozen=True)
class Prepared:
    """Rows as an estimator takes them: preprocessed, resampled, the target transformed; shared by fits on the same rows."""

    preprocessing: object
    Z: object
    y: np.ndarray
    categories: list[int]                   # the columns that hold a category's code


def prepare(spec: dict, X: pd.DataFrame, y: np.ndarray, seed: int, resampling: str = "none") -> Prepared:
    """Return typed features and a numeric target (class numbers for classification) as the spec's model is fitted on them."""
    encoding = FAMILIES[spec["name"]].encoding
    preprocessing = features.preprocessing(spec["features"], encoding)
    Z = preprocessing.fit_transform(X)
    categories = [number for number, column in enumerate(features.output_columns(preprocessing))
                  if spec["features"][column] == "categorical"]
    if resampling != "none":
        Z, y = _resample(Z, y, categories if encoding != "scaled" else [], resampling, seed)
    return Prepared(preprocessing, Z, target(spec, y), categories)


def target(spec: dict, y: np.ndarray) -> np.ndarray:
    """Return the target as the estimator learns it."""
    return np.log1p(y) if spec["target_transform"] == "log1p" else y


def fit(spec: dict, hyperparameters: dict, X: pd.DataFrame, y: np.ndarray, seed: int, resampling: str = "none") -> Model:
    """Return the model fitted on typed features and a numeric target (class numbers for classification)."""
    return fit_prepared(spec, hyperparameters, prepare(spec, X, y, seed, resampling), y, seed)


def fit_prepared(spec: dict, hyperparameters: dict, rows: Prepared, y: np.ndarray, seed: int) -> Model:
    """Return the model fitted on prepared rows; `y` is the target before resampling."""
    name = spec["name"]
    unfitted = estimator(name, spec["task"], settled(spec, hyperparameters, y), seed)
    if name == "xgboost":
        unfitted.set_params(feature_types=feature_types(rows))
    elif name == "catboost":
        unfitted.set_params(cat_features=rows.categories)
    options = {"categorical_feature": rows.categories} if name == "lightgbm" else {}
    fitted = unfitted.fit(rows.Z, rows.y, **options)
    if name == "lasso":                     # its last digits follow where the rows lie in memory, and no prediction uses it
        del fitted.dual_gap_
    return Model(rows.preprocessing, fitted, spec)


def settled(spec: dict, hyperparameters: dict, y: np.ndarray) -> dict:
    """Return the hyperparameters with `scale_pos_weight: balanced` as the number that it means for these rows."""
    if hyperparameters.get("scale_pos_weight") != "balanced":
        return hyperparameters
    if len(spec["classes"] or ()) != 2:
        raise UsageError(f"{spec['name']}: scale_pos_weight: balanced is for two classes; remove it")
    return {**hyperparameters, "scale_pos_weight": float((y == 0).sum() / max((y == 1).sum(), 1))}


def feature_types(rows: Prepared) -> list[str]:
    """Return XGBoost's word for the kind of each column."""
    return ["c" if number in rows.categories else "q" for number in range(rows.Z.shape[1])]


def _resample(Z, y: np.ndarray, categories: list[int], resampling: str, seed: int):
    """Return rows with balanced classes: SMOTE (Chawla et al. 2002; SMOTENC with categories) or random undersampling."""
    from imblearn.over_sampling import SMOTE, SMOTENC
    from imblearn.under_sampling import RandomUnderSampler
    if resampling == "undersample":
        return RandomUnderSampler(random_state=seed).fit_resample(Z, y)
    fewest = np.bincount(y).min()
    if fewest < 2:
        raise DataError(f"train.resampling smote: a class has {fewest} row in a fold and needs 2; use undersample or none")
    neighbours = min(5, int(fewest) - 1)
    smote = SMOTENC(categories, random_state=seed, k_neighbors=neighbours) if categories else SMOTE(
        random_state=seed, k_neighbors=neighbours)
    values = np.array(Z, dtype=np.float64)
    missing = np.isnan(values)              # SMOTE takes none: medians for numbers, for the time being a code for categories
    fill = pd.DataFrame(values).median().fillna(0).to_numpy(copy=True)
    fill[categories] = -1
    values, y = smote.fit_resample(np.where(missing, fill, values), y)
    if missing[:, categories].any():
        values[:, categories] = np.where(values[:, categories] < 0, np.nan, values[:, categories])
    return (pd.DataFrame(values, columns=Z.columns).astype(Z.dtypes) if isinstance(Z, pd.DataFrame) else values), y


def stored_size(model: Model) -> int:
    """Return how many bytes the estimator's file has."""
    import tempfile
    if FAMILIES[model.spec["name"]].suffix == ".skops":
        return len(_skops_bytes(model.estimator))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"estimator{FAMILIES[model.spec['name']].suffix}"
        getattr(model.estimator, "booster_", model.estimator).save_model(str(path))
        return path.stat().st_size


def save(model: Fitted, folder: Path, metadata: dict) -> dict:
    """Write a model into a folder that is there; return the metadata with the files' sha256 and the model's own."""
    if isinstance(model, Blend):
        for encoding, preprocessing in model.preprocessings.items():
            (folder / f"preprocessing_{encoding}.skops").write_bytes(_skops_bytes(preprocessing))
        for number, part in enumerate(model.models, start=1):
            _save_estimator(part, folder / f"estimator_{number}")
    else:
        (folder / "preprocessing.skops").write_bytes(_skops_bytes(model.preprocessing))
        _save_estimator(model, folder / "estimator")
    hashes = {file.name: files.digest(file) for file in files.folder_files(folder) if file.name != "metadata.json"}
    metadata = {"schema": 1, **model.spec, **metadata, "files": hashes, "model_sha256": model_hash(hashes, model.spec)}
    files.write_json(folder / "metadata.json", metadata)
    return metadata


def _save_estimator(model: Model, stem: Path) -> None:
    path = stem.with_suffix(FAMILIES[model.spec["name"]].suffix)
    if path.suffix == ".skops":
        path.write_bytes(_skops_bytes(model.estimator))
    elif path.suffix == ".txt":
        model.estimator.booster_.save_model(path)
    else:
        if path.suffix == ".cbm":           # CatBoost stamps each fit with a random identifier and the time, in no fixed order
            metadata = model.estimator.get_metadata()
            stamped = {**dict(metadata.items()), "model_guid": "", "train_finish_time": ""}
            for key in list(metadata.keys()):
                del metadata[key]
            for key in sorted(stamped):
                metadata[key] = stamped[key]
        model.estimator.save_model(str(path))


def model_hash(hashes: dict, spec: dict) -> str:
    """Return the sha256 that stands for a model: of its files' hashes and of what turns their output into predictions."""
    import hashlib
    return hashlib.sha256(json.dumps([hashes, spec], sort_keys=True).encode()).hexdigest()


SPEC_KEYS = ("name", "task", "features", "target", "target_transform", "classes", "threshold")


def load(folder: Path) -> Fitted:
    """Return a stored model once its files are found unchanged.

    Raises DataError where a file is missing, its sha256 is not the recorded one, or it holds a type that is not on the list.
    """
    folder = Path(folder)
    metadata = files.read_json(folder / "metadata.json", made_by="dvc repro")
    absent = [key for key in (*SPEC_KEYS, "files", "model_sha256") if key not in metadata]
    if absent:
        raise DataError(f"{folder / 'metadata.json'}: no key {absent[0]!r}; restore it with `dvc checkout` or train again")
    hashes = {}
    for name, expected in metadata["files"].items():
        if not (folder / name).is_file():
            raise DataError(f"{folder / name} is not there; train the model again")
        hashes[name] = files.digest(folder / name)
        if hashes[name] != expected:
            raise DataError(f"{folder / name}: sha256 {hashes[name]} is not the recorded {expected}: the file was changed; "
                            f"restore it with `dvc checkout` or train again")
    spec = {key: metadata[key] for key in (*SPEC_KEYS, "members") if key in metadata}
    found = model_hash(hashes, spec)
    if found != metadata["model_sha256"]:
        raise DataError(f"{folder / 'metadata.json'}: sha256 {found} is not the recorded {metadata['model_sha256']}: "
                        f"the file was changed; restore it with `dvc checkout` or train again")
    if "members" not in spec:
        return Model(_load_skops(folder / "preprocessing.skops"), _load_estimator(folder / "estimator", spec), spec)
    encodings = dict.fromkeys(FAMILIES[member["name"]].encoding for member in spec["members"])
    preprocessings = {encoding: _load_skops(folder / f"preprocessing_{encoding}.skops") for encoding in encodings}
    parts = []
    for number, member in enumerate(spec["members"], start=1):
        own = {**spec, "name": member["name"], "target_transform": member["target_transform"]}
        parts.append(Model(preprocessings[FAMILIES[member["name"]].encoding],
                           _load_estimator(folder / f"estimator_{number}", own), own))
    return Blend(preprocessings, tuple(parts), spec)


def _load_estimator(stem: Path, spec: dict):
    path = stem.with_suffix(FAMILIES[spec["name"]].suffix)
    if path.suffix == ".skops":
        return _load_skops(path)
    if path.suffix == ".txt":
        import lightgbm
        return lightgbm.Booster(model_file=path)
    estimator = _estimator_class(spec["name"], spec["task"])()
    estimator.load_model(str(path))
    return estimator


def _load_pyfunc(path: str) -> Fitted:
    """Load a model for mlflow.pyfunc, which finds this function by its name."""
    return load(Path(path))


def _load_skops(path: Path):
    import skops.io
    unknown = set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED_TYPES)
    if unknown:
        raise DataError(f"{path}: holds {', '.join(sorted(unknown))}, which is not on the list of reviewed types; "
                        f"do not load a model from an origin you do not trust")
    return skops.io.load(path, trusted=list(TRUSTED_TYPES))


def _skops_bytes(estimator) -> bytes:
    """Return skops's archive of an estimator in a canonical form.

    skops numbers objects by their address and dates the entries. Here they are numbered in the order in which schema.json names
    them, sorted, and dated alike, so that equal estimators give equal bytes. Numbers and texts have one number by their value:
    whether two places hold the same object or an equal one differs once an estimator came from another process.
    """
    import skops.io
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(estimator))) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    schema, numbers = json.loads(entries.pop("schema.json")), {}

    def renamed(name: str) -> str:
        return re.sub(r"^\d+", lambda found: str(numbers.setdefault(found[0], len(numbers))), name)

    def renumber(node) -> None:
        for child in node.values() if isinstance(node, dict) else node:
            if isinstance(child, dict | list):
                renumber(child)
        if isinstance(node, dict) and isinstance(node.get("__id__"), int):
            value = f"{node['__class__']} {node['content']}" if node.get("is_json") else str(node["__id__"])
            node["__id__"] = numbers.setdefault(value, len(numbers))
        if isinstance(node, dict) and isinstance(node.get("file"), str):
            node["file"] = renamed(node["file"])

    renumber(schema)
    entries = {renamed(name): content for name, content in entries.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted({**entries, "schema.json": json.dumps(schema).encode()}.items()):
            archive.writestr(zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
