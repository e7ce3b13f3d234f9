"""Texts drawn alike pass; longer ones, unseen words and other words are found, each by its test."""

import numpy as np
import pandas as pd
import pytest

from pipeline.drift import two_sample
from pipeline.drift.texts.words import compare_words, words_of

WORDS = np.array(
    [f"{first}{second}" for first in "abcdefgh" for second in ("an", "ot", "il", "es")]
)


def texts(seed: int, rows: int = 400, words=WORDS, length: int = 8) -> pd.Series:
    rng = np.random.default_rng(seed)
    drawn = [" ".join(rng.choice(words, rng.poisson(length) + 3)) for _ in range(rows)]
    return pd.Series(drawn, dtype="string")


def p_values(reference: pd.Series, current: pd.Series) -> dict[str, float]:
    found = compare_words(words_of(reference), words_of(current))
    return {test.name: test.p_value for test in found}


def test_texts_drawn_alike_are_found_as_seldom_as_alpha_says():
    alike = [
        two_sample.compare_texts(words_of(texts(seed)), words_of(texts(seed + 1000))).p_value
        for seed in range(60)
    ]
    assert np.mean(np.array(alike) < 0.05) <= 0.12
    assert max(alike) > 0.2


@pytest.mark.parametrize(
    "current, telling",
    [
        (texts(1, length=14), "Kolmogorov-Smirnov of lengths"),
        (texts(1, words=np.append(WORDS, ["new", "words"] * 4)), "rank sum of unseen words"),
        (texts(1, words=np.append(WORDS, WORDS[:8])), "domain classifier of words"),
    ],
)
def test_each_way_to_differ_is_found_by_its_test(current, telling):
    found = two_sample.compare_texts(words_of(texts(0)), words_of(current))
    assert found.test == telling
    assert found.p_value < 1e-6 and found.effect_size > 0.1


def test_nothing_is_tested_on_a_single_text():
    assert two_sample.compare_texts([["one"]], [["one"], ["two"]]).p_value is None
