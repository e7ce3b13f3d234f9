"""customer_churn: a customer of a telephone and internet provider a row, and whether they left.

SYNTHETIC. No row is a real customer. Columns, spellings, prices and typical shares follow the
public Telco customer churn table (IBM's sample data), but for the share of customers who leave,
which is 37.8 % here.

What makes customers leave, so that trees find more than straight lines do: a monthly contract
counts most in the first year, fibre drives away those who have no support, prices hurt above a
threshold, yearly contracts are left when they run out, and paying by electronic check matters with
paperless billing.
"""

from math import gcd
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Columns = dict[str, Any]  # arrays, categoricals and series, by name

ROWS = 7_043
CHURN_SHARE = 0.378
NOISE = 0.96  # scale of what no column explains, where the rest is in log odds

YES_NO = ["No", "Yes"]
CONTRACTS = ["Month-to-month", "One year", "Two year"]
CONTRACT_SHARES = np.array([[0.55, 0.21, 0.24]])
INTERNET = ["DSL", "Fiber optic", "No"]
INTERNET_SHARES = np.array(
    [[0.315, 0.550, 0.135], [0.390, 0.365, 0.245], [0.370, 0.255, 0.375]]
)  # by contract
PAYMENTS = [
    "Electronic check",
    "Mailed check",
    "Bank transfer (automatic)",
    "Credit card (automatic)",
]
PAYMENT_SHARES = np.array(
    [[0.475, 0.230, 0.150, 0.145], [0.235, 0.230, 0.265, 0.270], [0.100, 0.225, 0.335, 0.340]]
)
TENURE_SHAPE = np.array(
    [[0.56, 1.75], [1.7, 1.2], [1.9, 0.5]]
)  # of the beta distribution, by contract
MONTHS = 72

# services that need internet: share on DSL by contract, share on fibre by contract, price per month
ADD_ONS = {
    "OnlineSecurity": ([0.30, 0.58, 0.77], [0.17, 0.41, 0.61], 5),
    "OnlineBackup": ([0.30, 0.49, 0.69], [0.33, 0.64, 0.72], 5),
    "DeviceProtection": ([0.23, 0.54, 0.76], [0.32, 0.63, 0.79], 5),
    "TechSupport": ([0.28, 0.57, 0.82], [0.16, 0.42, 0.72], 5),
    "StreamingTV": ([0.24, 0.45, 0.64], [0.47, 0.74, 0.82], 10),
    "StreamingMovies": ([0.25, 0.45, 0.66], [0.47, 0.75, 0.82], 10),
}
PHONE_PRICE, SECOND_LINE_PRICE = 20, 5
INTERNET_PRICE = np.array([25, 50, 0], dtype=np.int8)
WAITING_SHARE = (
    0.0065  # of the two-year customers: signed, but not yet billed once, so TotalCharges is blank
)

LETTERS = 26
ID_SPACE = 10_000 * LETTERS**5

COLUMNS = """
    customerID gender SeniorCitizen Partner Dependents tenure PhoneService MultipleLines
    InternetService OnlineSecurity OnlineBackup DeviceProtection TechSupport StreamingTV
    StreamingMovies Contract PaperlessBilling PaymentMethod MonthlyCharges TotalCharges Churn
""".split()


def generate(n_rows: int, seed: int) -> pd.DataFrame:
    """Return `n_rows` synthetic customers."""
    rng = np.random.default_rng(seed)
    columns = {"customerID": customer_ids(rng, n_rows)}
    contract = pick(rng, CONTRACT_SHARES, np.zeros(n_rows, dtype=np.int8))
    tenure = months_so_far(rng, contract)
    columns |= {"Contract": categorical(contract, CONTRACTS), "tenure": tenure}
    columns |= people(rng, n_rows)
    columns |= services(rng, contract, tenure)
    columns |= billing(rng, contract, tenure, columns)
    columns["Churn"] = yes_no(leavers(rng, columns))
    return pd.DataFrame({name: columns.pop(name) for name in COLUMNS}, copy=False)


def pick(rng: np.random.Generator, shares: np.ndarray, group: np.ndarray) -> np.ndarray:
    """One code for each row.

    `shares` has a line for each group, and in it the share of each code.
    """
    draw = rng.random(group.size, dtype=np.float32)
    codes = np.zeros(group.size, dtype=np.int8)
    for limit in np.cumsum(shares, axis=1, dtype=np.float32).T[:-1]:
        codes += draw > limit[group]
    return codes


def categorical(codes: np.ndarray, names: list[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=names)


def yes_no(flags: np.ndarray) -> pd.Categorical:
    return categorical(flags.astype(np.int8), YES_NO)


def customer_ids(rng: np.random.Generator, n_rows: int) -> pd.Series:
    """Unique identifiers such as 4821-QWERT, in no visible order.

    Adding a step that has no divisor in common with the number of possible identifiers comes back
    to the first one only after all the others, so no identifier needs to be compared with another.
    """
    step = int(rng.integers(ID_SPACE // 3, ID_SPACE))
    while gcd(step, ID_SPACE) != 1:
        step += 1
    number = (np.arange(n_rows, dtype=np.uint64) * step + int(rng.integers(ID_SPACE))) % ID_SPACE
    text = np.full((n_rows, 10), ord("-"), dtype=np.uint8)
    for position, (first, symbols) in enumerate(
        [("0", 10)] * 4 + [("-", 1)] + [("A", LETTERS)] * 5
    ):
        text[:, position] = ord(first) + number % symbols
        number //= symbols
    ends = np.arange(0, 10 * n_rows + 1, 10, dtype=np.int64)
    return pd.Series(
        pa.LargeStringArray.from_buffers(n_rows, pa.py_buffer(ends), pa.py_buffer(text)),
        dtype="str",
    )


def months_so_far(rng: np.random.Generator, contract: np.ndarray) -> np.ndarray:
    """Months with the provider.

    Many customers have just come, and many have stayed for all the years there are.
    """
    share = rng.beta(*TENURE_SHAPE[contract].T)
    tenure = np.ceil((MONTHS + 1) * share).clip(1, MONTHS).astype(np.int8)
    tenure[(contract == 2) & (rng.random(contract.size, dtype=np.float32) < WAITING_SHARE)] = 0
    return tenure


def people(rng: np.random.Generator, n_rows: int) -> Columns:
    senior, partner, other = (rng.random(n_rows, dtype=np.float32) for _ in range(3))
    paired = partner < 0.48
    return {
        "gender": categorical(
            (rng.random(n_rows, dtype=np.float32) < 0.505).astype(np.int8), ["Female", "Male"]
        ),
        "SeniorCitizen": (senior < 0.162).astype(np.int8),
        "Partner": yes_no(paired),
        "Dependents": yes_no(other < np.where(senior < 0.162, 0.09, np.where(paired, 0.58, 0.11))),
    }


def services(rng: np.random.Generator, contract: np.ndarray, tenure: np.ndarray) -> Columns:
    """Telephone lines, internet, and what comes with it."""
    internet = pick(rng, INTERNET_SHARES, contract)
    phone = (internet != 0) | (
        rng.random(contract.size, dtype=np.float32) > 0.28
    )  # only DSL is sold without one
    chance = np.array([0.16, 0.48, 0.02])[internet] + 0.0055 * tenure
    lines = np.where(phone, rng.random(contract.size) < chance, 2).astype(np.int8)
    columns = {
        "PhoneService": yes_no(phone),
        "MultipleLines": categorical(lines, YES_NO + ["No phone service"]),
        "InternetService": categorical(internet, INTERNET),
    }
    for name, (on_dsl, on_fibre, _) in ADD_ONS.items():
        chance = np.array([on_dsl, on_fibre, [0, 0, 0]], dtype=np.float32)[internet, contract]
        bought = rng.random(contract.size, dtype=np.float32) < chance
        codes = np.where(internet == 2, np.int8(2), bought.astype(np.int8))
        columns[name] = categorical(codes, YES_NO + ["No internet service"])
    return columns


def billing(
    rng: np.random.Generator, contract: np.ndarray, tenure: np.ndarray, columns: Columns
) -> Columns:
    """How the customer pays, how much a month, and how much in all until now."""
    internet = columns["InternetService"].codes
    paperless = (
        rng.random(contract.size, dtype=np.float32)
        < np.array([0.54, 0.76, 0.29], dtype=np.float32)[internet]
    )
    monthly = PHONE_PRICE * (columns["PhoneService"].codes == 1) + INTERNET_PRICE[internet]
    monthly = monthly + SECOND_LINE_PRICE * (columns["MultipleLines"].codes == 1)
    for name, (_, _, price) in ADD_ONS.items():
        monthly += price * (columns[name].codes == 1)
    monthly = in_steps(monthly + rng.standard_normal(contract.size))
    return {
        "PaperlessBilling": yes_no(paperless),
        "PaymentMethod": categorical(pick(rng, PAYMENT_SHARES, contract), PAYMENTS),
        "MonthlyCharges": monthly,
        "TotalCharges": total_charges(rng, tenure, monthly),
    }


def in_steps(amount: np.ndarray) -> np.ndarray:
    """Prices go in steps of five cents.

    The second rounding takes off what the binary fraction leaves.
    """
    return ((20 * amount).round() / 20).round(2)


def total_charges(rng: np.random.Generator, tenure: np.ndarray, monthly: np.ndarray) -> pd.Series:
    """The sum of the bills as text.

    It is a blank for those who were never billed, as in the provider's table.
    """
    months = tenure + 0.35 * np.sqrt((tenure - 1).clip(0)) * rng.standard_normal(
        tenure.size
    )  # prices have changed
    text = pa.array(in_steps(np.maximum(months, 1) * monthly)).cast(pa.large_string())
    return pd.Series(pc.if_else(pa.array(tenure == 0), " ", text), dtype="str")


def leavers(rng: np.random.Generator, columns: Columns) -> np.ndarray:
    """Exactly the stated share of the customers: those with the highest urge to leave."""
    urge = urge_to_leave(columns) + rng.logistic(scale=NOISE, size=len(columns["tenure"]))
    urge[columns["tenure"] == 0] = -np.inf  # nobody leaves before the first bill
    count = round(CHURN_SHARE * urge.size)
    leaves = np.zeros(urge.size, dtype=bool)
    leaves[np.argpartition(-urge, count)[:count]] = True
    return leaves


def urge_to_leave(columns: Columns) -> np.ndarray:
    """The part of the decision that the columns explain, on the scale of log odds."""
    tenure = columns["tenure"]
    contract = columns["Contract"].codes
    monthly = contract == 0
    fibre = columns["InternetService"].codes == 1
    offline = columns["InternetService"].codes == 2
    helped = (columns["TechSupport"].codes == 1) | (columns["OnlineSecurity"].codes == 1)
    check = columns["PaymentMethod"].codes == 0
    paperless = columns["PaperlessBilling"].codes == 1
    alone = (columns["SeniorCitizen"] == 1) & (columns["Partner"].codes == 0)

    urge = monthly * (0.3 + 2.0 * np.exp(-tenure / 8.0))
    urge += monthly * (1.5 * (fibre & ~helped) - 0.8 * offline) + 0.2 * fibre
    urge += 1.0 * (check & paperless) + 0.8 * alone - 0.4 * (columns["Dependents"].codes == 1)
    urge += 0.9 * (columns["MonthlyCharges"] > 92) * (tenure > 24)
    runs_out = ((contract == 1) & (tenure % 12 < 2)) | ((contract == 2) & (tenure % 24 < 2))
    urge += 1.8 * (runs_out & (tenure < MONTHS)) - 0.9 * contract
    return urge
