"""The model card: what a person must know before relying on a model, as a dict and as Markdown."""

import numpy as np
import pandas as pd

from pipeline import features, models, scoring
from pipeline.scoring import rounded

SLICES = 4                  # of a regression's test rows: at the quartiles of the target
FEW_ROWS = 10               # of a slice: below it its scores are no ground to judge by


def slices(model: models.Model, test: pd.DataFrame) -> dict[str, dict]:
    """Return the scores of each class, or of the test rows in each quarter of the target's range of values."""
    spec, target = model.spec, test[model.spec["target"]]
    output = model.output(features.conform(test, spec["features"]))
    if spec["task"] == "classification":
        y = pd.Categorical(target, categories=spec["classes"]).codes.astype(int)
        scores = scoring.score("classification", y, output, models.decide(output, spec["threshold"]), spec["classes"])
        return {label: {"rows": int((y == number).sum())}
                | {metric: rounded(scores[f"{metric}__{label}"]) for metric in ("precision", "recall", "f1")}
                for number, label in enumerate(spec["classes"])}
    y = target.to_numpy(dtype=np.float64)
    bounds = np.unique(np.quantile(y, np.linspace(0, 1, SLICES + 1)))
    parts = np.clip(np.searchsorted(bounds, y, side="right") - 1, 0, max(len(bounds) - 2, 0))
    found = {}
    for number in np.unique(parts):
        here = parts == number
        scores = scoring.score("regression", y[here], output[here])
        found[f"{y[here].min():g} to {y[here].max():g}"] = {"rows": int(here.sum())} | {
            metric: rounded(scores[metric]) for metric in ("rmse", "mae")}
    return found


def content(request: dict, metadata: dict, quality: dict, slices: dict[str, dict]) -> dict:
    """Return the card of a model from its request, its metadata, its data's quality and its scores by slice."""
    scores = {part: {metric: value for metric, value in metadata["metrics"][part].items() if "__" not in metric}
              for part in ("cv", "test")}
    card = {key: request[key] for key in ("name", "dataset", "candidate", "model_sha256", "primary_metric", "gates")}
    card |= {key: metadata[key] for key in ("task", "target", "target_transform", "classes", "threshold", "features", "params")}
    card["data"] = {key: quality[key] for key in ("source", "synthetic", "data_hash", "split_hash", "rows", "split", "missing")}
    return {"schema": 1, **card, **scores, "slices": slices, "limits": limits(card, slices), "how_to_load": {
        "mlflow": f"mlflow.pyfunc.load_model('models:/{card['name']}@production').predict(rows)",
        "pipeline": f"python evaluate.py --dataset {card['dataset']} --version champion"}}


def limits(card: dict, slices: dict[str, dict]) -> list[str]:
    """Return what the scores do not say."""
    few = [name for name, scores in slices.items() if scores["rows"] < FEW_ROWS]
    found = ["The data are synthetic: the scores say nothing about real ones."] if card["data"]["synthetic"] else []
    found += [f"The test rows hold fewer than {FEW_ROWS} of {', '.join(few)}: no ground to judge those by."] if few else []
    return found + [
        "The intervals tell how much the scores depend on which test rows were drawn, not how they change with time.",
        "The test rows come from the same table as the training rows; other places, times and people were not looked at.",
        "A missing value, or a category that the training rows do not hold, gives a prediction and no warning.",
        "Fairness between groups of people was not examined."]


def text(card: dict) -> str:
    """Return the card as Markdown."""
    from jinja2 import Environment, PackageLoader
    page = Environment(loader=PackageLoader("pipeline", "reports"), trim_blocks=True, lstrip_blocks=True,
                       keep_trailing_newline=True).get_template("model_card.md.j2")
    return page.render(card=card)
