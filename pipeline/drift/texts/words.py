"""Words of two columns of texts: their number, the share of unseen ones, and which ones they are.

Half of each column teaches what words there are and which of them come more often in the current
table; the other half is tested, so that the p-values hold (a classifier two-sample test with held
out rows: Lopez-Paz and Oquab, ICLR 2017).
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pipeline.data.kinds import WORD

# texts of either column that are compared: bounds the time
MOST_TEXTS = 5000
# that every word counts more often than it was seen, in either column
SMOOTHING = 1.0

Words = list[list[str]]


@dataclass(frozen=True)
class WordTest:
    """One test of two columns of texts; the effect lies between 0, alike, and 1."""

    name: str
    effect: str
    statistic: float
    p_value: float
    effect_size: float


def words_of(texts: pd.Series) -> Words:
    """Return the words of each text, of at most MOST_TEXTS of them, spread over the column."""
    places = np.linspace(0, len(texts) - 1, min(len(texts), MOST_TEXTS)).round().astype(int)
    return [WORD.findall(text.lower()) for text in texts.iloc[np.unique(places)]]


def compare_words(reference: Words, current: Words) -> list[WordTest]:
    """Return the tests that two columns of texts were drawn alike; empty with too few texts."""
    if min(len(reference), len(current)) < 2:
        return []
    rng = np.random.default_rng(0)
    taught, tested = _halves(reference, rng)
    taught_current, tested_current = _halves(current, rng)
    scores = _scores(taught, taught_current)
    known = set().union(*taught)
    return [
        _lengths(reference, current),
        _ranked(
            "rank sum of unseen words",
            "difference of the shares of unseen words",
            _unseen_shares(tested, known),
            _unseen_shares(tested_current, known),
            by_means=True,
        ),
        _ranked(
            "domain classifier of words",
            "twice the AUC less 1",
            _summed(tested, scores),
            _summed(tested_current, scores),
        ),
    ]


def _halves(texts: Words, rng: np.random.Generator) -> tuple[Words, Words]:
    order = rng.permutation(len(texts))
    middle = len(texts) // 2
    return [texts[place] for place in order[:middle]], [texts[place] for place in order[middle:]]


def _lengths(reference: Words, current: Words) -> WordTest:
    """Return the Kolmogorov-Smirnov test of the numbers of words."""
    from scipy.stats import ks_2samp

    lengths = ([len(words) for words in texts] for texts in (reference, current))
    found = ks_2samp(*lengths, method="asymp")
    statistic = float(found.statistic)
    return WordTest(
        "Kolmogorov-Smirnov of lengths",
        "largest gap between the shares of shorter texts",
        statistic,
        float(found.pvalue),
        statistic,
    )


def _unseen_shares(texts: Words, known: set[str]) -> np.ndarray:
    """Return the share of each text's words that are not known."""
    shares = []
    for words in texts:
        unseen = sum(word not in known for word in words)
        shares.append(unseen / max(len(words), 1))
    return np.array(shares)


def _scores(reference: Words, current: Words) -> dict[str, float]:
    """Return what each word says for the current table: the logarithm of the ratio of its shares.

    These are naive Bayes's weights (Manning et al., Introduction to Information Retrieval, 2008).
    """
    counts = [
        Counter(word for text in texts for word in set(text)) for texts in (reference, current)
    ]
    rows = (len(reference), len(current))
    scores = {}
    for word in counts[0].keys() | counts[1].keys():
        shares = [
            (count[word] + SMOOTHING) / (total + 2 * SMOOTHING)
            for count, total in zip(counts, rows)
        ]
        scores[word] = float(np.log(shares[1] / shares[0]))
    return scores


def _summed(texts: Words, scores: dict[str, float]) -> np.ndarray:
    # in one order, so that the sums are the same in every run
    return np.array([sum(scores.get(word, 0.0) for word in sorted(set(text))) for text in texts])


def _ranked(
    name: str, effect: str, reference: np.ndarray, current: np.ndarray, by_means: bool = False
) -> WordTest:
    """Return the test that the values of the current table are not greater (Mann and Whitney).

    Its statistic is the AUC, and the effect twice that less 1 or the difference of the means.
    """
    from scipy.stats import mannwhitneyu

    found = mannwhitneyu(current, reference, alternative="greater", method="asymptotic")
    auc = float(found.statistic) / (len(reference) * len(current))
    size = float(current.mean() - reference.mean()) if by_means else 2 * auc - 1
    p_value = 1.0 if np.isnan(found.pvalue) else float(found.pvalue)
    return WordTest(name, effect, auc, p_value, max(size, 0.0))
