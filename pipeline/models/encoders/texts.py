"""The encoder of texts: how often words and parts of words come, weighed by how rare they are.

TF-IDF as scikit-learn's TfidfVectorizer has it (Manning et al., Introduction to Information
Retrieval, 2008, chapter 6), with words and with the characters of words. A text is encoded alone or
among many by the same arithmetic, so that both give the same numbers.
"""

from collections import Counter
from functools import cached_property
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold

# the commonest of a column; a word in one training text alone says nothing of others
MOST_WORDS, MOST_PIECES, FEWEST_TEXTS = 5_000, 5_000, 2
# characters of a part of a word
PIECE_LENGTHS = (3, 4)
# of the regression on a target: of its slopes, and parts of the rows that are left out in turn
PENALTY, TARGET_FOLDS = 1.0, 5
# between the terms in the stored text that lists them: no term holds it
SEPARATOR = "\n"


class TextEncoder(TransformerMixin, BaseEstimator):
    """Makes numbers of columns of texts: coordinates of their TF-IDF, and what it says of a target.

    The coordinates are those of truncated SVD; a column with fewer terms than `components` keeps
    the weights of its terms as they are. With a target there is besides the prediction of a ridge
    regression on all terms, of more than two classes one for each: what the coordinates lose.
    `fit_transform` gives training texts the prediction that was learned from others. A missing
    text has no term. Lists have one entry for each column.

    words_, pieces_              the known terms, one below the other
    word_rarity_, piece_rarity_  their inverse document frequencies
    tables_                      what each term adds to the numbers, of shape (terms, numbers)
    """

    def __init__(
        self, components: int = 50, random_state: int = 0, target_type: str = "continuous"
    ) -> None:
        self.components = components
        self.random_state = random_state
        self.target_type = target_type

    def fit(self, X: pd.DataFrame, y: np.ndarray | None = None) -> Self:
        """Learn the terms, their rarity and their numbers; `X` holds texts."""
        self._learn(X, y)
        return self

    def fit_transform(self, X: pd.DataFrame, y: np.ndarray | None = None) -> np.ndarray:
        """Learn, and return the numbers of the training texts, shape (rows, numbers)."""
        out_of_fold = self._learn(X, y)
        # not by transform, of which set_output may make a DataFrame
        numbers = self._numbers(X)
        last = np.cumsum([table.shape[1] for table in self.tables_])
        for end, predicted in zip(last, out_of_fold):
            numbers[:, end - predicted.shape[1] : end] = predicted
        return numbers

    def _learn(self, X: pd.DataFrame, y: np.ndarray | None) -> list[np.ndarray]:
        """Learn; return for each column the predictions of its texts that others taught."""
        targets = None if y is None else _targets(y, self.target_type)
        self.feature_names_in_ = list(X.columns)
        self.n_features_in_ = len(X.columns)
        self.words_: list[str] = []
        self.pieces_: list[str] = []
        self.word_rarity_: list[np.ndarray] = []
        self.piece_rarity_: list[np.ndarray] = []
        self.tables_: list[np.ndarray] = []
        self.__dict__.pop("_columns", None)
        predicted = []
        for name in X.columns:
            weights = self._learn_terms([text or "" for text in plain_texts(X[name])])
            table = self._coordinates(weights)
            if targets is not None and weights is not None:
                table = np.hstack([table, _slopes(weights, targets)])
                predicted.append(_out_of_fold(weights, targets, self.random_state))
            else:
                predicted.append(np.zeros((len(X), 0)))
            # half the bytes of a stored model; the sums are of 64 bits
            self.tables_.append(np.ascontiguousarray(table, dtype=np.float32))
        return predicted

    def _learn_terms(self, texts: list[str]) -> Any:
        """Learn the terms of a column; return the texts' sparse weights, None without any term."""
        from scipy.sparse import hstack

        weights = []
        for vectorizer, terms, rarity in (
            (word_vectorizer(), self.words_, self.word_rarity_),
            (piece_vectorizer(), self.pieces_, self.piece_rarity_),
        ):
            try:
                weights.append(vectorizer.fit_transform(texts))
            except ValueError:  # no term is in two texts
                terms.append("")
                rarity.append(np.zeros(0))
                continue
            terms.append(SEPARATOR.join(vectorizer.get_feature_names_out()))
            rarity.append(vectorizer.idf_)
        return hstack(weights, format="csr") if weights else None

    def _coordinates(self, weights: Any) -> np.ndarray:
        """Return what each term adds to the coordinates of a text."""
        if weights is None:
            # a number without meaning: there has to be one
            return np.zeros((0, 1))
        if weights.shape[1] <= self.components:
            return np.eye(weights.shape[1])
        return (
            TruncatedSVD(self.components, random_state=self.random_state).fit(weights).components_.T
        )

    @cached_property
    def _columns(self) -> list["_Terms"]:
        parts = zip(self.words_, self.word_rarity_, self.pieces_, self.piece_rarity_, self.tables_)
        return [_Terms(*part) for part in parts]

    def __getstate__(self) -> dict[str, Any]:
        """Return what is stored: what was learned, and not what is made of it for speed."""
        return {key: value for key, value in self.__dict__.items() if key != "_columns"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def transform(self, X: pd.DataFrame) -> np.ndarray:
        """Return the numbers of each row, shape (rows, numbers)."""
        return self._numbers(X)

    def _numbers(self, X: pd.DataFrame) -> np.ndarray:
        return self.encoded([plain_texts(X[name]) for name in X.columns])

    def encoded(self, columns: list[list[str | None]]) -> np.ndarray:
        """Return the same for the texts of each column."""
        return np.hstack([terms.encoded(texts) for terms, texts in zip(self._columns, columns)])

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return a name for each number."""
        names = []
        for name, table in zip(self.feature_names_in_, self.tables_):
            names += [f"{name}: text {number}" for number in range(1, table.shape[1] + 1)]
        return np.array(names, dtype=object)

    def owners(self) -> list[str]:
        """Return the column of the table that each number is of."""
        owners = []
        for name, table in zip(self.feature_names_in_, self.tables_):
            owners += [name] * table.shape[1]
        return owners


def _targets(y: np.ndarray, target_type: str) -> np.ndarray:
    """Return a target as the columns that are regressed on: of several classes one for each."""
    if target_type == "multiclass":
        return (y[:, None] == np.unique(y)).astype(np.float64)
    return np.asarray(y, dtype=np.float64)[:, None]


def _slopes(weights: Any, targets: np.ndarray) -> np.ndarray:
    """Return what each term adds to the prediction of each target, shape (terms, targets)."""
    ridge = Ridge(alpha=PENALTY, solver="sparse_cg", tol=1e-6)
    return ridge.fit(weights, targets - targets.mean(axis=0)).coef_.reshape(targets.shape[1], -1).T


def _out_of_fold(weights: Any, targets: np.ndarray, seed: int) -> np.ndarray:
    """Return predictions of each row that other rows taught, shape (rows, targets)."""
    predicted = np.zeros(targets.shape)
    folds = KFold(min(TARGET_FOLDS, len(targets)), shuffle=True, random_state=seed)
    for fit, predict in folds.split(targets):
        predicted[predict] = weights[predict] @ _slopes(weights[fit], targets[fit])
    return predicted


def plain_texts(values: pd.Series) -> list[str | None]:
    """Return texts as strings, None where missing."""
    return values.astype(object).where(values.notna(), None).tolist()


def word_vectorizer() -> TfidfVectorizer:
    """Return scikit-learn's counter of words and of two words in a row."""
    return TfidfVectorizer(
        ngram_range=(1, 2), sublinear_tf=True, min_df=FEWEST_TEXTS, max_features=MOST_WORDS
    )


def piece_vectorizer() -> TfidfVectorizer:
    """Return scikit-learn's counter of the parts of words, their ends marked by a blank."""
    return TfidfVectorizer(
        analyzer="char_wb",
        ngram_range=PIECE_LENGTHS,
        sublinear_tf=True,
        min_df=FEWEST_TEXTS,
        max_features=MOST_PIECES,
    )


class _Terms:
    """The terms of one column, ready to be looked up."""

    def __init__(
        self,
        words: str,
        word_rarity: np.ndarray,
        pieces: str,
        piece_rarity: np.ndarray,
        table: np.ndarray,
    ) -> None:
        self.table = table
        self.parts = [
            _Part(word_vectorizer(), words, word_rarity, first=0),
            _Part(piece_vectorizer(), pieces, piece_rarity, first=len(word_rarity)),
        ]

    def encoded(self, texts: list[str | None]) -> np.ndarray:
        """Return the numbers of some texts, shape (texts, numbers)."""
        numbers = np.zeros((len(texts), self.table.shape[1]))
        for row, text in enumerate(texts):
            if text is not None:
                for part in self.parts:
                    part.add(text, self.table, numbers[row])
        return numbers


class _Part:
    """The words, or the parts of words, that a column's training texts hold."""

    def __init__(
        self, vectorizer: TfidfVectorizer, terms: str, rarity: np.ndarray, first: int
    ) -> None:
        self.terms_of = vectorizer.build_analyzer()
        known = terms.split(SEPARATOR) if len(rarity) else []
        self.places = {term: place for place, term in enumerate(known)}
        self.rarity, self.first = rarity, first

    def add(self, text: str, table: np.ndarray, numbers: np.ndarray) -> None:
        """Add to `numbers` what the terms of a text add by their weights, of length 1 together."""
        places = self.places
        counts = Counter(places[term] for term in self.terms_of(text) if term in places)
        if not counts:
            return
        found = np.fromiter(counts.keys(), dtype=np.int64, count=len(counts))
        times = np.fromiter(counts.values(), dtype=np.float64, count=len(counts))
        weights = (1 + np.log(times)) * self.rarity[found]
        weights /= np.sqrt(weights @ weights)
        numbers += weights @ table[self.first + found]

    def unseen_share(self, text: str) -> float:
        """Return the share of a text's terms that no two training texts hold."""
        terms = self.terms_of(text)
        return sum(term not in self.places for term in terms) / len(terms) if terms else 0.0
