"""How often the check for leaks finds one, and how often it stops or warns where there is none.

    python -m benchmarks.statistics --only leaks_found no_leaks

Each trial makes synthetic tables of 1,000 rows, of which the check sees the 800 training rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.experiment import Claim, Experiment
from pipeline.data.leaks import search
from pipeline.data.leaks.table import Leak, columns_of, training_table
from pipeline.project.settings.data import Data, Prepare

ROWS = 1000
TRAINING_ROWS = 800
COPIED = 0.97
PATIENTS = 100


@dataclass(frozen=True)
class Case:
    """A table, its task, and the column or columns that a leak is to name."""

    frame: pd.DataFrame
    task: str
    leaking: tuple[str, ...] = ("leak",)
    dropped: tuple[str, ...] = ()


def features(rng: np.random.Generator, rows: int = ROWS) -> pd.DataFrame:
    """Return columns of numbers and categories, one with gaps, that say something of a target."""
    frame = pd.DataFrame(
        {
            "size": rng.normal(size=rows),
            "age": rng.integers(18, 80, rows).astype(float),
            "income": rng.lognormal(size=rows),
            "town": pd.Series(rng.choice([f"town {k}" for k in range(12)], rows), dtype="str"),
            "member": pd.Series(rng.choice(["no", "yes"], rows), dtype="str"),
            "count": rng.poisson(3, rows).astype(float),
        }
    )
    frame.loc[rng.random(rows) < 0.1, "income"] = np.nan
    return frame


def numbers(rng: np.random.Generator, frame: pd.DataFrame) -> pd.Series:
    """Return a target of numbers that the features tell to about a half."""
    member = (frame["member"] == "yes").astype(float)
    return 2 * frame["size"] + frame["age"] / 20 + member + rng.normal(0, 2, len(frame))


def classes(rng: np.random.Generator, frame: pd.DataFrame) -> pd.Series:
    """Return two classes, three tenths of them positive, that the features tell in part."""
    values = numbers(rng, frame)
    return pd.Series(np.where(values > values.quantile(0.7), "yes", "no"), dtype="str")


def found(case: Case, seed: int) -> list[Leak]:
    """Return what the check says of the training rows of a table."""
    rng = np.random.default_rng([seed, 1])
    rows = np.sort(rng.permutation(len(case.frame))[: len(case.frame) * TRAINING_ROWS // ROWS])
    train = case.frame.iloc[rows]
    data = Data.model_construct(file="data/cases.csv", task=case.task, target="target")
    dropped = train[list(case.dropped)]
    seen = train.drop(columns=list(case.dropped))
    prepare = Prepare(test_size=0.2, split="random")
    return search.find(training_table(seen, dropped, data, prepare, seed))


# leaks


def sum_of_parts(rng: np.random.Generator) -> Case:
    frame = features(rng)
    casual, registered = rng.poisson(50, ROWS), rng.poisson(150 + 20 * frame["size"].abs())
    parts = frame.assign(casual=casual * 1.0, registered=registered * 1.0)
    target = parts["casual"] + parts["registered"]
    return Case(parts.assign(target=target), "regression", ("casual", "registered"))


def copied_classes(rng: np.random.Generator) -> Case:
    frame = features(rng)
    target = classes(rng, frame)
    others = target.sample(frac=1, random_state=int(rng.integers(2**31))).to_numpy()
    leak = target.where(rng.random(ROWS) < COPIED, others)
    return Case(frame.assign(leak=leak, target=target), "classification")


def copied_numbers(rng: np.random.Generator) -> Case:
    frame = features(rng)
    target = numbers(rng, frame)
    leak = target.where(rng.random(ROWS) < COPIED, rng.permutation(target.to_numpy()))
    return Case(frame.assign(leak=leak, target=target), "regression")


def ordered_ids(rng: np.random.Generator) -> Case:
    frame = features(rng)
    table = frame.assign(target=classes(rng, frame))
    # a hundredth of the rows has a place at random
    place = np.where(rng.random(ROWS) < 0.01, rng.random(ROWS), table["target"].eq("yes") * 1.0)
    order = np.lexsort((rng.random(ROWS), place))
    table = table.iloc[order].reset_index(drop=True)
    return Case(table.assign(leak=np.arange(ROWS) + 1.0), "classification")


def lagged_numbers(rng: np.random.Generator) -> Case:
    frame = features(rng)
    target = numbers(rng, frame)
    return Case(frame.assign(leak=target.shift(1), target=target), "regression")


def lagged_classes(rng: np.random.Generator) -> Case:
    frame = features(rng)
    target = classes(rng, frame)
    return Case(frame.assign(leak=target.shift(1), target=target), "classification")


def patients(rng: np.random.Generator) -> pd.DataFrame:
    """Return ten visits of each patient, who has one diagnosis that no column tells."""
    visits = ROWS // PATIENTS
    patient = np.repeat(rng.permutation(PATIENTS), visits)
    ill = np.where(rng.random(PATIENTS) < 0.5, "yes", "no")
    weight = rng.normal(70, 10, PATIENTS).round(1)
    frame = pd.DataFrame(
        {
            "patient": patient * 1.0,
            "weight": weight[patient],
            "pulse": rng.normal(70, 8, ROWS),
            "target": pd.Series(ill[patient], dtype="str"),
        }
    )
    return frame.sample(frac=1, random_state=int(rng.integers(2**31)), ignore_index=True)


def recurring_patients(rng: np.random.Generator) -> Case:
    return Case(patients(rng), "classification", ("patient",))


def dropped_patients(rng: np.random.Generator) -> Case:
    return Case(patients(rng), "classification", ("patient",), dropped=("patient",))


def pair_of_classes(rng: np.random.Generator) -> Case:
    frame = features(rng)
    promised = rng.normal(10, 3, ROWS)
    delivered = promised + rng.normal(0, 2, ROWS)
    late = pd.Series(np.where(delivered > promised, "yes", "no"), dtype="str")
    table = frame.assign(promised=promised, delivered=delivered, target=late)
    return Case(table, "classification", ("promised", "delivered"))


# no leaks


def no_leak_of_numbers(rng: np.random.Generator) -> Case:
    frame = features(rng)
    return Case(frame.assign(target=numbers(rng, frame)), "regression")


def no_leak_of_classes(rng: np.random.Generator) -> Case:
    frame = features(rng)
    ids = rng.permutation(ROWS) + 1.0
    return Case(frame.assign(id=ids, target=classes(rng, frame)), "classification")


def honest_class_feature(rng: np.random.Generator) -> Case:
    """Return a measurement that is on the right side of its threshold in 99 of 100 rows."""
    frame = features(rng)
    target = classes(rng, frame)
    wrong = rng.random(ROWS) < 0.01
    leak = rng.gamma(2, 1, ROWS) * np.where(target.eq("yes") ^ wrong, 1, -1)
    return Case(frame.assign(leak=leak, target=target), "classification")


def honest_number_feature(rng: np.random.Generator) -> Case:
    """Return a measurement of the target with an r2 of .995."""
    frame = features(rng)
    target = numbers(rng, frame)
    noise = rng.normal(0, target.std() * (0.005 / 0.995) ** 0.5, ROWS)
    return Case(frame.assign(leak=target + noise, target=target), "regression")


LEAKS: dict[str, Callable[[np.random.Generator], Case]] = {
    "sum_of_parts": sum_of_parts,
    "copied_classes": copied_classes,
    "copied_numbers": copied_numbers,
    "ordered_ids": ordered_ids,
    "lagged_numbers": lagged_numbers,
    "lagged_classes": lagged_classes,
    "recurring_patients": recurring_patients,
    "dropped_patients": dropped_patients,
    "pair_of_classes": pair_of_classes,
}


def leaks_found(seed: int) -> dict[str, float]:
    """Return for each leak whether it was named, and for a group leak the split that ends it."""
    figures = {}
    for name, make in LEAKS.items():
        case = make(np.random.default_rng(seed))
        leaks = found(case, seed)
        named = set(case.leaking) <= set(columns_of(leaks))
        if "patients" in name:
            named = named and all("group:patient" in leak.do for leak in leaks)
        figures[name] = float(named)
    return figures


def false_alarms(seed: int) -> dict[str, float]:
    """Return whether tables without a leak are warned of, and whether honest ones are refused."""
    plain = (no_leak_of_classes, no_leak_of_numbers)
    alarms = [found(make(np.random.default_rng(seed)), seed) for make in plain]
    figures = {"warned": float(any(alarms))}
    for name, make in (("class", honest_class_feature), ("number", honest_number_feature)):
        leaks = found(make(np.random.default_rng(seed)), seed)
        figures[f"{name}_refused"] = float(any(leak.certain for leak in leaks))
        figures[f"{name}_warned"] = float(bool(leaks))
    return figures


SEES = {
    "sum_of_parts": "casual + registered = cnt is found",
    "copied_classes": "a copy of the classes in 97 % of the rows is found",
    "copied_numbers": "a copy of the numbers in 97 % of the rows is found",
    "ordered_ids": "ids in the order of the classes, 1 % of them elsewhere, are found",
    "lagged_numbers": "the number of the row before is found",
    "lagged_classes": "the class of the row before is found",
    "recurring_patients": "patients of ten rows: `split: group:patient` is advised",
    "dropped_patients": "patients of ten rows whose column is dropped: the same is advised",
    "pair_of_classes": "a class that is the sign of a difference of two columns is found",
}
FOUND = Experiment(
    "leaks_found",
    "synthetic rows",
    40,
    leaks_found,
    tuple(Claim(name, says, lowest=0.99) for name, says in SEES.items()),
)
NONE = Experiment(
    "no_leaks",
    "synthetic rows",
    200,
    false_alarms,
    (
        Claim("warned", "two tables without a leak, one with ids, are warned of", highest=0.01),
        Claim("class_refused", "an honest column, right in 99 % of rows, is refused", highest=0.01),
        Claim("class_warned", "the same column is warned of"),
        Claim("number_refused", "an honest column with r2 .995 is refused", highest=0.01),
        Claim("number_warned", "the same column is warned of"),
    ),
)
EXPERIMENTS: tuple[Experiment, ...] = (FOUND, NONE)
