"""The comparison as one HTML page that needs nothing beside it: tables by Jinja, pictures drawn by a script in the page.

The page is a view and no output of DVC: it also shows what does not repeat, such as durations and the addresses of runs, where
this machine has them.
"""

import json
from pathlib import Path

from pipeline.drift.verdicts import NOT_ENOUGH_DATA
from pipeline.project import files, paths, rounding
from pipeline.report import advice, charts
from pipeline.scoring import gates
from pipeline.scoring import metrics as scoring_metrics
from pipeline.training import results as training_results

TEMPLATES = Path(__file__).parent / "templates"
STEPS = 5  # of the colours from guessing to perfect
OPENED = 6  # datasets that are unfolded at first; more would be a wall
MOST_CLASSES = 12  # of a confusion matrix that is shown
DRIFT_PAGES = {
    "drift": "drift of the features",
    "target_drift": "of the target and the predictions",
    "performance": "performance",
    "quality": "data quality",
}


def page(comparison: dict, drawn: dict) -> str:
    """Return the page of a comparison and what its pictures draw."""
    from jinja2 import Environment, FileSystemLoader, select_autoescape
    from markupsafe import Markup

    template = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("comparison.html.j2")
    sections = [section(dataset, result) for dataset, result in comparison["datasets"].items()]
    data = {one["dataset"]: picture_data(one, drawn.get(one["dataset"], {})) for one in sections}
    style, script = (
        Markup((TEMPLATES / f"comparison.{ending}").read_text(encoding="utf-8"))
        for ending in ("css", "js")
    )
    # no text of the data can end the script element: "<" is written as an escape
    embedded = Markup(
        json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace(
            "<", "\\u003c"
        )
    )
    return template.render(
        sections=sections,
        overall=comparison.get("overall", []),
        heat=heat(comparison["datasets"]),
        counts=counts(sections),
        style=style,
        script=script,
        data=embedded,
        shown=rounding.number_text,
        bounds=gates.bounds_text,
        opened=OPENED,
    )


def section(dataset: str, result: dict) -> dict:
    """Return what the page tells of one dataset."""
    best, metric = result["best"]["name"], result["primary_metric"]
    candidate = result["candidates"][best]
    rows, facts = leaderboard(dataset, result), local_facts(dataset, result)
    drift = _read(paths.metrics(dataset, "drift"))
    return {
        "dataset": dataset,
        "result": result,
        "metric": metric,
        "lower": not scoring_metrics.lookup(metric).greater_is_better,
        "best": best,
        "test": candidate["test"][metric],
        "skill": skill(result, best, metric),
        "rows": rows,
        "timed": any(row["ms"] for row in rows),
        "metrics": [name for name in candidate["test"] if "__" not in name],
        "matrix": matrix(candidate),
        "tuned": tuned(result),
        "level": result["verdict"],
        "verdict": (advice.REHEARSED if result["synthetic"] else advice.VERDICTS)[
            result["verdict"]
        ],
        "advice": result["advice"],
        "next": result["advice"][0]["do"] if result["advice"] else None,
        "balance": balance(result),
        "drift": drift,
        "drift_rows": drift_rows(drift),
        **facts,
    }


def leaderboard(dataset: str, result: dict) -> list[dict]:
    """Return one row per candidate, the best first."""
    metric, rows = result["primary_metric"], []
    stages = {candidate["stage"] for candidate in result["candidates"].values()}
    fits = {
        **(_read(paths.timings(dataset, "train")) or {}),
        **(_read(paths.timings(dataset, "tune")) or {}).get("fits", {}),
    }
    predictions = {
        stage: _read(paths.timings(dataset, f"{stage}_predict")) or {} for stage in stages
    }
    runs = _read(paths.mlflow_runs(dataset)) or {}
    for name in training_results.ranked(result["candidates"], metric):
        one = result["candidates"][name]
        rows.append(
            {
                "name": name,
                "stage": one["stage"],
                "cv": one["cv"][metric],
                "oof": one["cv_oof"][metric],
                "train": one["train"][metric],
                "test": one["test"][metric],
                "best": name == result["best"]["name"],
                "fit": fits.get(name),
                "ms": milliseconds(predictions[one["stage"]].get(name)),
                "run": runs.get(f"{one['stage']}/{name}"),
            }
        )
    return rows


def milliseconds(seconds: float | None) -> float | None:
    """Return how long 1,000 rows take, of the seconds for one."""
    return None if seconds is None else rounding.significant(1e6 * seconds)


def local_facts(dataset: str, result: dict) -> dict:
    """Return what lies on this machine beside the comparison: Evidently's pages, what the registry decided on the model."""
    folder = paths.reports(dataset, "drift")
    pages = [
        {"title": title, "href": f"{dataset}/drift/{name}_report.html"}
        for name, title in DRIFT_PAGES.items()
        if (folder / f"{name}_report.html").is_file()
    ]
    return {"drift_pages": pages, "registered": registered(dataset, result)}


def registered(dataset: str, result: dict) -> dict | None:
    """Return the last line of the promotion log on the chosen model, and where MLflow shows the version with its model card."""
    path, sha256 = (
        paths.promotions(dataset),
        result["candidates"][result["best"]["name"]]["model_sha256"],
    )
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines()) if path.is_file() else ()
    found = [line for line in lines if line["sha256"] == sha256]
    if not found:
        return None
    base = next(iter((_read(paths.mlflow_runs(dataset)) or {}).values()), "").partition("/#/")[0]
    last = {key: found[-1][key] for key in ("name", "version", "outcome", "reason")}
    return last | {
        "href": f"{base}/#/models/{last['name']}/versions/{last['version']}" if base else None,
        "card": model_card(sha256),
    }


def model_card(sha256: str) -> str | None:
    """Return where a registered model's card lies beside the page; None where its files are elsewhere."""
    for path in paths.ARTIFACTS.glob("*/models/*/artifacts/data/model/model_card.json"):
        if files.read_json(path, made_by="make sync")["model_sha256"] == sha256:
            return f"../{path.with_suffix('.md').as_posix()}"
    return None


def _read(path: Path) -> dict | None:
    return files.read_json(path, made_by="dvc repro") if path.is_file() else None


def skill(result: dict, name: str, metric: str) -> float | None:
    """Return how much of the way from guessing (dummy) to perfect a candidate's test score goes; None without a dummy.

    The dummy's threshold favours the positive class: for accuracy, guessing is to name the most frequent one.
    """
    if "dummy" not in result["candidates"]:
        return None
    value, guess = (
        result["candidates"][one]["test"].get(metric, {}).get("value") for one in (name, "dummy")
    )
    if metric == "accuracy":
        rows = [sum(row) for row in result["candidates"][name]["confusion_matrix"]["counts"]]
        guess = max(guess, max(rows) / sum(rows))
    perfect = scoring_metrics.lookup(metric).perfect
    if value is None or guess is None or guess == perfect:
        return None
    return (value - guess) / (perfect - guess)


def heat(results: dict) -> dict:
    """Return the best models' test scores over the datasets, each with its step of colour from guessing to perfect."""
    metrics = list(
        dict.fromkeys(
            metric
            for result in results.values()
            for metric in result["candidates"][result["best"]["name"]]["test"]
            if "__" not in metric
        )
    )
    rows = []
    for dataset, result in results.items():
        best = result["best"]["name"]
        cells = []
        for metric in metrics:
            test = result["candidates"][best]["test"].get(metric)
            part = None if test is None else skill(result, best, metric)
            step = None if part is None else min(STEPS, 1 + int(STEPS * max(0.0, min(part, 0.999))))
            cells.append(
                {
                    "value": test and test["value"],
                    "skill": part,
                    "step": step,
                    "of_task": test is not None,
                    "primary": metric == result["primary_metric"],
                }
            )
        rows.append({"dataset": dataset, "best": best, "cells": cells})
    return {"metrics": metrics, "rows": rows}


def matrix(candidate: dict) -> dict | None:
    """Return the confusion matrix with each cell's share of its row and step of colour; None where there is none to show."""
    found = candidate.get("confusion_matrix")
    if found is None or len(found["labels"]) > MOST_CLASSES:
        return None
    rows = []
    for number, (label, counts_) in enumerate(zip(found["labels"], found["counts"])):
        total = sum(counts_) or 1
        rows.append(
            {
                "label": label,
                "cells": [
                    {
                        "count": count,
                        "share": count / total,
                        "right": number == place,
                        "step": -(-STEPS * count // total),
                    }
                    for place, count in enumerate(counts_)
                ],
            }
        )
    return {"labels": found["labels"], "rows": rows}


def balance(result: dict) -> list[dict]:
    """Return the classes with their shares of the rows, the most frequent first."""
    found = result.get("class_counts") or {}
    total = sum(found.values()) or 1
    return [
        {"label": label, "rows": rows, "share": rows / total}
        for label, rows in sorted(found.items(), key=lambda one: (-one[1], one[0]))
    ][:MOST_CLASSES]


def tuned(result: dict) -> list[dict]:
    """Return what each tuned candidate gained over the same model untuned and over the best untuned one."""
    improvement = (result.get("tuning") or {}).get("improvement", {})
    return [
        {"name": name, **gain}
        for name, gains in improvement.items()
        for gain in {gain["over"]: gain for gain in gains.values() if gain}.values()
    ]


def drift_rows(drift: dict | None, most: int = 8) -> list[dict]:
    """Return target, predictions and the columns nearest to drift, each with its effect size against the threshold."""
    if drift is None:
        return []
    parts = [(part, drift[part]) for part in ("target", "prediction") if drift.get(part)]
    columns = sorted(
        drift["columns"].items(), key=lambda one: (-(one[1].get("drift_score") or 0), one[0])
    )[:most]
    return [{"name": test["column"], "role": part, **_tested(test)} for part, test in parts] + [
        {"name": name, "role": "feature", **_tested(test)} for name, test in columns
    ]


def _tested(test: dict) -> dict:
    return {
        key: test.get(key)
        for key in ("verdict", "effect", "effect_size", "threshold", "p_adjusted", "drift_score")
    }


def course(drawn: dict, metric: str) -> list[dict]:
    """Return the curves of a search: each model's best value so far, by trial, and the better half of all trials as dots."""
    trials = drawn.get("course", [])
    best_first = scoring_metrics.lookup(metric).greater_is_better
    ordered = sorted((value for _, _, value in trials), reverse=best_first)
    better = set(ordered[: -(-len(ordered) // 2)])
    curves = []
    for model in dict.fromkeys(model for _, model, _ in trials):
        mine = [trial for trial in trials if trial[1] == model]
        curves.append(
            {
                "name": model,
                "points": [
                    [number, best] for number, _, _, best in charts.best_so_far(mine, metric)
                ],
                "dots": [[number, value] for number, _, value in mine if value in better],
            }
        )
    return curves


def counts(sections: list[dict]) -> dict:
    """Return the numbers of the page's first lines: of datasets, of candidates, and of datasets with each verdict."""
    verdicts = {}
    for level in reversed(advice.VERDICTS):
        for one in sections:
            if one["level"] == level:
                verdicts[one["verdict"], level] = verdicts.get((one["verdict"], level), 0) + 1
    return {
        "datasets": len(sections),
        "candidates": sum(len(one["rows"]) for one in sections),
        "verdicts": verdicts,
    }


def picture_data(one: dict, drawn: dict) -> dict:
    """Return what the page's script needs to draw a dataset's pictures."""
    explanation = one["result"].get("explanation") or {}
    shap = explanation.get("shap")
    return {
        "metric": one["metric"],
        "lower": one["lower"],
        "best": one["best"],
        "target": one["result"]["target"],
        "models": [
            {"name": row["name"], "cv": row["cv"]["mean"], "std": row["cv"]["std"], "ms": row["ms"]}
            for row in one["rows"]
        ],
        "course": course(drawn, one["metric"]),
        "importance": list((explanation.get("importance") or {}).items()),
        "shap": shap
        and {
            "unit": shap["unit"],
            "rows": shap["rows"],
            "columns": [
                [name, value["mean_abs"], value["direction"]]
                for name, value in shap["columns"].items()
            ],
        },
        "drift": [
            [row["name"], row["role"], row["drift_score"], row["verdict"]]
            for row in one["drift_rows"]
            if row["drift_score"] is not None and row["verdict"] != NOT_ENOUGH_DATA
        ],
        **{kind: drawn[kind] for kind in (*charts.CURVES, "dots") if kind in drawn},
    }
