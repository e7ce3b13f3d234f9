"""Whatever shows a number of a model shows the same one: files, pages, MLflow, card, commands."""

import json
import re

import pytest

import evaluate
from pipeline.project import params, paths
from pipeline.project.rounding import number_text
from pipeline.registry import versions
from support.hostile import COSTS, DATASETS, NUMBERS
from support.recorded import recorded

pytestmark = pytest.mark.slow


@pytest.fixture
def run(hostile_run, monkeypatch):
    """The folder of the run, as the working directory."""
    monkeypatch.chdir(hostile_run)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    return hostile_run


def read(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def chosen(dataset: str) -> dict:
    """Return the best candidate of a dataset as train.json has it."""
    best = read(paths.best(dataset))
    return read(paths.metrics(dataset, best["stage"]))["candidates"][best["candidate"]]


@pytest.mark.parametrize("dataset", DATASETS)
def test_test_scores_are_the_same_in_every_file_and_in_mlflow(run, dataset):
    candidate, best = chosen(dataset), read(paths.best(dataset))
    scores = {metric: score["value"] for metric, score in candidate["test"].items()}
    metric = best["primary_metric"]
    assert read(paths.metrics(dataset, "drift"))["performance"]["current"] == scores
    assert read(paths.metrics(dataset, "drift"))["performance"]["reference"] == candidate["cv_oof"]
    compared = read(paths.COMPARISON)["datasets"][dataset]["candidates"][best["candidate"]]
    assert {name: score["value"] for name, score in compared["test"].items()} == scores
    assert best["test"] == scores[metric]
    (gate,) = read(paths.validation(dataset))["gates"]
    assert gate["value"] == scores[metric]
    # MLflow spells the names of classes otherwise, and the card has the classes apart
    of_all_classes = {name: value for name, value in scores.items() if "__" not in name}
    card = read(versions.resolve(dataset, params.load(), 1).folder / "model_card.json")
    assert {name: score["value"] for name, score in card["test"].items()} == of_all_classes
    logged = {}
    for record in recorded(run)[dataset].values():
        if record.info.run_name == best["candidate"]:
            logged |= record.data.metrics
    assert {name: logged[f"test_{name}"] for name in of_all_classes} == of_all_classes


@pytest.mark.parametrize("dataset", DATASETS)
def test_pages_show_the_scores_of_the_files(run, browser, dataset):
    candidate = chosen(dataset)
    shown = {metric: number_text(score["value"]) for metric, score in candidate["test"].items()}
    browser.open(run / f"reports/{dataset}/drift/performance_report.html")
    assert rows(browser, "#scores") == {
        metric: [number_text(candidate["cv_oof"][metric]), text] for metric, text in shown.items()
    }
    browser.open(run / paths.COMPARISON_REPORT)
    on_page = rows(browser, f"[aria-labelledby=d-{dataset}-metrics] table")
    expected = read(paths.COMPARISON)["datasets"][dataset]["expected"]
    assert {metric: cells[:3] for metric, cells in on_page.items()} == {
        metric: [
            number_text(candidate["cv_oof"][metric]),
            number_text(expected[metric]),
            shown[metric],
        ]
        for metric in on_page
    }
    assert len(on_page) > 2


@pytest.mark.parametrize("dataset", COSTS)
def test_costs_of_decisions_are_the_same_on_the_page_in_files_and_in_mlflow(run, browser, dataset):
    trained = read(paths.metrics(dataset, "train"))
    constant = {key: score["value"] for key, score in trained["constant_decisions"].items()}
    compared = read(paths.COMPARISON)["datasets"][dataset]["constant_decisions"]
    assert {key: score["value"] for key, score in compared.items()} == constant
    browser.open(run / paths.COMPARISON_REPORT)
    shown = rows(browser, f"[aria-labelledby=d-{dataset}-costs] table")
    of_model, *others = [cells[0] for cells in shown.values()]
    assert of_model == number_text(chosen(dataset)["test"]["cost_per_1000"]["value"])
    assert others == [number_text(value) for value in constant.values()]
    logged = {}
    for record in recorded(run)[dataset].values():
        if record.info.run_name == "compare":
            logged |= record.data.metrics
    of_constant = [logged[name] for name in logged if "cost_per_1000_of_always" in name]
    assert sorted(of_constant) == sorted(constant.values())


def rows(browser, table: str) -> dict[str, list[str]]:
    """Return a table's rows by their first cell."""
    cells = browser.driver.execute_script(
        "return [...document.querySelector(arguments[0]).tBodies[0].rows]"
        ".map(row => [...row.cells].map(cell => cell.textContent.trim()))",
        table,
    )
    return {first: rest for first, *rest in cells}


@pytest.mark.parametrize("dataset", DATASETS)
def test_command_that_scores_a_stored_model_prints_the_same(run, dataset, capsys):
    evaluate.main(["--dataset", dataset])
    printed = capsys.readouterr().out
    for metric, score in chosen(dataset)["test"].items():
        found = re.search(rf"^{re.escape(metric)} +(\S+)", printed, re.M)
        assert float(found[1]) == pytest.approx(score["value"], rel=1e-5), metric


def test_decisions_of_two_classes_are_not_those_of_one_half(run):
    """The run is one in which a page that decides by 0.5 would be found out."""
    thresholds = [chosen(name).get("threshold") for name in DATASETS if name != NUMBERS]
    assert any(threshold is not None and abs(threshold - 0.5) > 0.05 for threshold in thresholds)
