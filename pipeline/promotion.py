"""Promotion: the evidence on a challenger and the champion, the rule that it is held against, and the log of what was decided.

Each line of the log carries the sha256 of the line before, so that a line that was changed, removed or put in shows. The
registry holds the same lines: a decision is written there first and here last, so that what stands here has been carried out, and
either restores the other.
"""

import getpass
import hashlib
import json
import os
from datetime import datetime, timezone
from pathlib import Path

from pipeline import files, paths
from pipeline.errors import DataError
from pipeline.params import Data, Register

PROMOTED, REFUSED, UNDECIDED, ROLLED_BACK = "promoted", "refused", "no decision", "rolled back"
ALIASES = ("champion", "production", "previous", "challenger")
FIRST = "0" * 64            # stands before the first line
FEW_CLASS_ROWS = 10         # of a class: below it the resamples show less than the metric's true spread


# the evidence

def evidence(champion: Path, challenger: Path, frame, origin: str, data: Data, register: Register, metric: str,
             seed: int) -> dict:
    """Return how both bundles' models score on the rows that neither was trained on, and the interval of the difference.

    Positive differences are in the challenger's favour. Where the two cannot be compared, `fault` says why, in place of figures.
    """
    from pipeline import bundles, models
    try:
        mine = frame[bundles.unseen(champion, frame, origin) & bundles.unseen(challenger, frame, origin)]
        if len(mine) < register.min_rows:
            return {"rows": len(mine), "fault": f"{len(mine)} rows of {origin} are new to both, register.min_rows asks for "
                                                f"{register.min_rows}"}
        old, new = (_measured(whose, models.load(folder), mine, origin, data, metric, seed)
                    for whose, folder in (("the champion", champion), ("the challenger", challenger)))
    except DataError as error:
        return {"fault": str(error)}
    figures = difference(metric, old, new, register)
    if None in figures.values():
        return {"rows": len(mine), "fault": f"{metric} is not defined on the {len(mine)} rows of {origin} that are new to both"}
    return {"rows": len(mine), "metric": metric, **figures}


def difference(metric: str, old: tuple, new: tuple, register: Register) -> dict[str, float | None]:
    """Return two scores and the interval of their difference, from the paired resamples that stand beside each score."""
    from pipeline import scoring
    sign = -1 if metric in scoring.LOWER_IS_BETTER else 1
    low, high = scoring.interval(sign * (new[1] - old[1]))
    figures = {"champion": old[0], "challenger": new[0], "difference": sign * (new[0] - old[0]), "low": low, "high": high,
               "margin": register.margin * abs(old[0])}
    return {name: scoring.rounded(value) for name, value in figures.items()}


def _measured(whose: str, model, frame, origin: str, data: Data, metric: str, seed: int):
    """Return a model's score and its resampled values; DataError where it was made for another task."""
    import numpy as np
    import pandas as pd

    from pipeline import features, models, scoring, tables
    spec = model.spec
    if (spec["task"], spec["target"]) != (data.task, data.target):
        raise DataError(f"{whose} is for {spec['task']} of {spec['target']!r}, {paths.PARAMS} asks for {data.task} of "
                        f"{data.target!r}")
    output = model.output(features.conform(frame, spec["features"], origin))
    if spec["task"] == "regression":
        y, decisions = frame[data.target].to_numpy(dtype=np.float64), None
    else:
        labels = frame[data.target]
        if spec["classes"] != tables.classes(labels, data.positive):
            raise DataError(f"{whose} knows the classes {tables.listed(spec['classes'])}, the rows of {origin} hold "
                            f"{tables.listed(sorted(labels.unique()))}")
        y = pd.Categorical(labels, categories=spec["classes"]).codes.astype(int)
        rare = int(np.bincount(y, minlength=len(spec["classes"])).argmin())
        if (y == rare).sum() < FEW_CLASS_ROWS:
            raise DataError(f"{(y == rare).sum()} rows of class {spec['classes'][rare]!r} in {origin} are new to both, "
                            f"{FEW_CLASS_ROWS} are needed")
        decisions = models.decide(output, spec["threshold"])
    return (scoring.score(spec["task"], y, output, decisions, spec["classes"])[metric],
            scoring.bootstrap(spec["task"], y, output, decisions, seed)[metric])


def judge(rule: str, found: dict) -> tuple[str, str]:
    """Return the outcome of holding evidence against a rule, and the reason in one line.

    better: the whole interval lies above 0. not_worse: the whole interval lies above the margin below 0. always: whatever it is.
    The whole interval on the other side is a refusal, and an interval that lies on both is no decision.
    """
    if rule == "always":
        return PROMOTED, "the gates hold, and register.promote is always"
    if "fault" in found:
        return UNDECIDED, found["fault"]
    asked = 0 if rule == "better" else -found["margin"]
    told = (f"{found['metric']} {found['challenger']:g} against the champion's {found['champion']:g} on {found['rows']} rows new "
            f"to both; better by {found['difference']:g} [{found['low']:g}, {found['high']:g}], {rule} asks for "
            f"{'more than 0' if rule == 'better' else f'at least {asked:g}'}")
    if found["low"] > asked or rule == "not_worse" and found["low"] == asked:
        return PROMOTED, told
    return (REFUSED if found["high"] < asked else UNDECIDED), told


# the log

def read(dataset: str) -> list[dict]:
    """Return the lines of a dataset's log, oldest first; DataError names the first that does not follow from the one before."""
    path = paths.promotions(dataset)
    if not path.is_file():
        return []
    return checked(path.read_text(encoding="utf-8").splitlines(), path)


def checked(texts: list[str], origin) -> list[dict]:
    """Return the lines that texts hold, once each is found to carry the sha256 of the one before."""
    lines, before = [], FIRST
    for number, text in enumerate(texts, start=1):
        try:
            line = json.loads(text)
        except ValueError:
            raise DataError(f"{origin}: line {number} is no whole JSON object; restore the file from a copy") from None
        if text_of(line) != text or (line.get("number"), line.get("before")) != (number, before):
            raise DataError(f"{origin}: line {number} does not follow from the one before, whose sha256 is {before}: a line was "
                            f"changed, removed or put in; restore the file from a copy")
        before = digest(line)
        lines.append(line)
    return lines


def following(lines: list[dict], entry: dict) -> dict:
    """Return an entry as the line that follows the others."""
    return {"number": len(lines) + 1, "time": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "who": who(), **entry,
            "before": digest(lines[-1]) if lines else FIRST}


def write(dataset: str, lines: list[dict]) -> None:
    """Write the log; the file is whole at any moment."""
    files.write_text(paths.promotions(dataset), "".join(f"{text_of(line)}\n" for line in lines))


def text_of(line: dict) -> str:
    return json.dumps(line, ensure_ascii=False, allow_nan=False)


def digest(line: dict) -> str:
    return hashlib.sha256(text_of(line).encode()).hexdigest()


def who() -> str:
    """Return the user's name, or that of whoever started a run of GitHub Actions."""
    try:
        return os.environ.get("GITHUB_ACTOR") or getpass.getuser()
    except (KeyError, OSError):             # a user id without a name, as in a container
        return f"user {os.getuid()}" if hasattr(os, "getuid") else "unknown"


def decided(lines: list[dict], sha256: str) -> dict | None:
    """Return the last line about a model; None where nothing was decided on it."""
    return next((line for line in reversed(lines) if line["sha256"] == sha256), None)


def standing(lines: list[dict]) -> dict[str, str]:
    """Return {alias: sha256} after the lines: the champion, the one before it, and the last that is not yet champion."""
    champion = previous = challenger = None
    for line in lines:
        if line["outcome"] in (PROMOTED, ROLLED_BACK):
            champion, previous = line["sha256"], champion
            if line["outcome"] == PROMOTED or challenger == champion:
                challenger = None
        else:
            challenger = line["sha256"]
    return {alias: sha256 for alias, sha256 in zip(ALIASES, (champion, champion, previous, challenger)) if sha256}
