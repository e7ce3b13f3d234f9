"""The model card: its data, scores by slice, and limits."""

import json

import pandas as pd
import pytest

from pipeline.models import storage
from pipeline.registry import model_card
from support.registered import resolve


def test_model_card_holds_data_scores_by_slice_and_limits(first):
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


def test_card_names_own_code_dates_and_texts_and_is_as_before_without_them(first):
    card = json.loads((resolve().folder / "model_card.json").read_text())
    plain = model_card.text(card)
    assert "Own code" not in plain and "Dates" not in plain and "own_code" not in card
    features = {**card["features"], "sold": "date", "<b>": "text"}
    text = model_card.text({**card, "features": features, "own_code": {"features/a.py": "0" * 64}})
    assert f"Own code: `features/a.py`, sha256 `{'0' * 64}`." in text
    added = [line for line in text.splitlines() if line not in plain.splitlines()]
    assert "Dates: sold." in added and any(line.startswith("Free text: ") for line in added)
    assert "<b>" not in text
