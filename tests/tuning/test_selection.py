"""The selection from a search: no tuned model is worse than its baseline."""

import json


def test_tuned_model_is_never_worse_than_its_baseline(finished):
    for dataset, metric in (("tiny", "rmse"), ("iris", "log_loss")):
        tuned, trained = (
            json.loads((finished / f"metrics/datasets/{dataset}/{stage}.json").read_text())[
                "candidates"
            ]
            for stage in ("tune", "train")
        )
        pairs = [
            (name, name.removeprefix("tuned_"))
            for name in tuned
            if name.removeprefix("tuned_") in trained
        ]
        assert pairs
        for name, untuned in pairs:
            assert tuned[name]["cv"][metric]["mean"] <= trained[untuned]["cv"][metric]["mean"]
