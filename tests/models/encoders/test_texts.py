"""Texts become coordinates of TF-IDF; alone or among others they have the same numbers."""

import numpy as np
import pandas as pd
from scipy.sparse import hstack

from pipeline.models import archive
from pipeline.models.encoders.texts import (
    TextEncoder,
    piece_vectorizer,
    plain_texts,
    word_vectorizer,
)

WORDS = np.array(
    [f"{first}{second}" for first in "abcdefgh" for second in ("an", "ot", "il", "es")]
)


def notes(rows: int = 80) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(WORDS, 6)) for _ in range(rows)]
    texts[3] = "Ünïcode — and ½ words\nOVER two lines"
    frame = pd.DataFrame({"note": texts, "other": texts[::-1]}).astype("string")
    frame.loc[5, "note"] = None
    return frame


def test_numbers_are_those_of_scikit_learn():
    X = notes()
    encoder = TextEncoder(components=7).fit(X)
    texts = [text or "" for text in plain_texts(X["note"])]
    parts = [make().fit_transform(texts) for make in (word_vectorizer, piece_vectorizer)]
    expected = hstack(parts).tocsr() @ encoder.tables_[0]
    np.testing.assert_allclose(encoder.transform(X)[:, :7], expected, atol=1e-12)


def test_a_text_alone_has_the_numbers_that_it_has_among_others_also_once_loaded():
    X = notes()
    encoder = TextEncoder(components=7).fit(X)
    together = encoder.transform(X)
    columns = [plain_texts(X[name]) for name in X]
    for row in range(len(X)):
        alone = encoder.encoded([[column[row]] for column in columns])
        np.testing.assert_array_equal(alone, together[row : row + 1])
    assert not together[5, :7].any()
    assert len(encoder.owners()) == len(encoder.get_feature_names_out()) == together.shape[1]


def test_what_texts_say_of_a_target_is_learned_from_other_rows():
    X = notes(400)
    rng = np.random.default_rng(1)
    says = X["note"].str.contains("an").fillna(False).to_numpy(dtype=bool)
    encoder = TextEncoder(components=3, target_type="binary")
    for y, telling in ((says.astype(int), True), (rng.integers(0, 2, len(X)), False)):
        training = encoder.fit_transform(X[["note"]], y)[:, -1]
        known = encoder.transform(X[["note"]])[:, -1]
        assert (np.corrcoef(training, y)[0, 1] > 0.4) == telling
        # rows that taught it are predicted too well
        assert np.corrcoef(known, y)[0, 1] > np.corrcoef(training, y)[0, 1]
    classes = np.arange(len(X)) % 3
    encoder = TextEncoder(components=3, target_type="multiclass")
    assert encoder.fit_transform(X[["note"]], classes).shape == (len(X), 6)


def test_stored_bytes_repeat_and_give_the_same_numbers(tmp_path):
    X = notes()
    encoder = TextEncoder(components=7).fit(X)
    numbers = encoder.transform(X)  # what is made for speed is not stored
    content = archive.skops_bytes(encoder)
    assert content == archive.skops_bytes(TextEncoder(components=7).fit(X))
    (tmp_path / "encoder.skops").write_bytes(content)
    loaded = archive.load_skops(tmp_path / "encoder.skops")
    np.testing.assert_array_equal(loaded.transform(X), numbers)


def test_columns_of_few_or_no_words_have_numbers():
    X = pd.DataFrame({"few": ["yes no", "no yes", "yes"], "none": [None, "?", "!"]}).astype(
        "string"
    )
    numbers = TextEncoder(components=50).fit(X).transform(X)
    assert np.isfinite(numbers).all()
    assert np.any(numbers[0] != numbers[2])


def test_the_numbers_of_training_texts_may_be_a_dataframe_as_catboost_takes_them():
    X, y = notes()[["note"]], np.arange(80) % 2
    encoder = TextEncoder(components=3, target_type="binary")
    expected = encoder.fit_transform(X, y)
    framed = encoder.set_output(transform="pandas").fit_transform(X, y)
    assert isinstance(framed, pd.DataFrame)
    np.testing.assert_array_equal(framed.to_numpy(), expected)
