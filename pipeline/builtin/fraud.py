"""credit_fraud: card payments of two days, 28 anonymous components, the amount, fraud or not.

SYNTHETIC. No row is a real payment. The layout and the spread of the components follow the public
table of European card payments of September 2013 (Worldline and ULB), where V1 to V28 come from a
principal component analysis.

Frauds come in three kinds, each shifted in its own handful of components; the shifts that matter
are those known from that table (V14, V12, V10, V17 down, V4, V11 up). No component is enough by
itself: legitimate payments have heavy tails in all of them, some legitimate payments look
suspicious, and some frauds look legitimate.
"""

import numpy as np
import pandas as pd

ROWS = 10_000
FRAUD_SHARE = 0.002
SECONDS = 172_792  # two days

# standard deviations of V1 .. V28
SPREAD = np.array(
    [
        1.96,
        1.65,
        1.52,
        1.42,
        1.38,
        1.33,
        1.24,
        1.19,
        1.10,
        1.09,
        1.02,
        1.00,
        0.995,
        0.96,
        0.915,
        0.876,
        0.849,
        0.838,
        0.814,
        0.771,
        0.735,
        0.726,
        0.624,
        0.606,
        0.521,
        0.482,
        0.404,
        0.330,
    ]
)

# kinds of fraud: shifts of components, in standard deviations
STOLEN_CARD = {
    14: -3.0,
    12: -3.2,
    10: -3.0,
    17: -3.2,
    4: 2.2,
    11: 2.6,
    3: -2.4,
    16: -2.6,
    7: -1.8,
    9: -1.6,
}
ACCOUNT_TAKEOVER = {
    14: -2.8,
    4: 3.0,
    11: 3.0,
    10: -3.0,
    12: -1.6,
    17: -1.2,
    2: 2.4,
    18: -2.2,
    21: 2.0,
    9: -1.8,
}
CARD_TESTING = {
    17: -3.4,
    12: -3.4,
    14: -1.4,
    3: -3.0,
    7: -2.8,
    16: -3.0,
    10: -1.6,
    11: 1.8,
    4: 1.6,
    1: -1.8,
}
KINDS = [STOLEN_CARD, ACCOUNT_TAKEOVER, CARD_TESTING]
# Each ten frauds hold five, three and two of the kinds, so that a small table has all of them.
PATTERN = np.array([0, 1, 0, 2, 0, 1, 0, 1, 2, 0], dtype=np.int8)

LOOKALIKE_SHARE = 0.001  # legitimate payments that go part of the way in the direction of a fraud
HIDDEN_EVERY = 10  # one fraud in ten hardly shows


def generate(n_rows: int, seed: int) -> pd.DataFrame:
    """Return `n_rows` synthetic payments in the order of their time."""
    rng = np.random.default_rng(seed)
    fraud, lookalike = choose_rows(rng, n_rows)
    shifted, kinds, strengths = choose_shifts(rng, fraud, lookalike)
    # some payments are steadier and some wilder: one scale for a whole row gives every component
    # heavy tails
    scale = np.exp(0.25 * rng.standard_normal(n_rows) - 0.0625)
    columns = {"Time": payment_times(rng, n_rows)}
    log_amount = 0.85 * rng.standard_normal(n_rows)
    for number, spread in enumerate(SPREAD, start=1):
        component = scale * rng.standard_normal(n_rows)
        shift = np.array([kind.get(number, 0.0) for kind in KINDS])[kinds]
        component[shifted] += shift * strengths * rng.uniform(0.6, 1.4, size=shift.size)
        # the amount was not part of the analysis that made the components orthogonal, so it goes
        # with some of them
        log_amount += {2: -0.40, 7: 0.30, 20: 0.25}.get(number, 0.0) * component
        columns[f"V{number}"] = (spread * component).round(6)
    columns["Amount"] = amounts(rng, log_amount, fraud)
    columns["Class"] = np.zeros(n_rows, dtype=np.int8)
    columns["Class"][fraud] = 1
    return pd.DataFrame(columns, copy=False)


def choose_rows(rng: np.random.Generator, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
    """The frauds, and the legitimate rows that resemble them.

    The frauds are of exactly the stated share, but never fewer than two.
    """
    frauds = max(2, round(FRAUD_SHARE * n_rows))
    rows = rng.choice(n_rows, size=frauds + round(LOOKALIKE_SHARE * n_rows), replace=False)
    return rows[:frauds], rows[frauds:]


def choose_shifts(
    rng: np.random.Generator, fraud: np.ndarray, lookalike: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows to shift, towards which kind of fraud each goes, and how far (1: all the way)."""
    order = np.concatenate([np.arange(fraud.size), np.arange(lookalike.size)])
    strength = rng.uniform(0.9, 1.3, size=order.size)
    strength[HIDDEN_EVERY - 1 : fraud.size : HIDDEN_EVERY] *= 0.15
    strength[fraud.size :] *= rng.uniform(0.15, 0.5, size=lookalike.size)
    return np.concatenate([fraud, lookalike]), PATTERN[order % PATTERN.size], strength


def payment_times(rng: np.random.Generator, n_rows: int) -> np.ndarray:
    """Seconds since the first payment, in order; few payments are made in the small hours."""
    hour = np.arange(48)
    activity = 1.05 - np.cos(2 * np.pi * (hour - 3) / 24)
    edges = np.concatenate([[0.0], np.cumsum(activity)]) / activity.sum()
    return np.sort(
        np.interp(rng.random(n_rows), edges, np.linspace(0, SECONDS, 49)).astype(np.int32)
    )


def amounts(rng: np.random.Generator, log_amount: np.ndarray, fraud: np.ndarray) -> np.ndarray:
    """Skewed amounts around 22; a fraud is either a small test or above the usual."""
    log_amount = 3.1 + 1.55 * log_amount
    test = rng.random(fraud.size) < 0.4
    log_amount[fraud] = np.where(test, 0.0, log_amount[fraud] + 0.8)
    return np.exp(log_amount).clip(0.0, 25_691.16).round(2)
