"""Text class: TF-IDF of character 1- to 3-grams and logistic regression. scikit-learn, no torch; same
interface as the nets.

A linear model, because every small net that was measured was slower and worse at every size.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAX_FEATURES = 60_000
MAX_CHARACTERS = 20_000
"""A longer text is read up to here; the note of the model says so."""


def fit(
    texts: Sequence[str], classes: Sequence[str], seed: int
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """(description, arrays) of a model that tells the classes apart; at least two classes must occur."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    names = sorted(set(classes))
    vectoriser = TfidfVectorizer(
        analyzer="char",
        ngram_range=(1, 3),
        sublinear_tf=True,
        min_df=1 if len(texts) < 500 else 2,
        max_features=MAX_FEATURES,
    )
    matrix = vectoriser.fit_transform([text[:MAX_CHARACTERS] for text in texts])
    model = LogisticRegression(C=10.0, max_iter=1000, random_state=seed)
    model.fit(matrix, [names.index(name) for name in classes])
    terms = [str(term) for term in vectoriser.get_feature_names_out()]
    return (
        {"terms": terms, "labels": names},
        {
            "idf": np.asarray(vectoriser.idf_, "<f4"),
            "coef": np.asarray(model.coef_, "<f4"),
            "intercept": np.asarray(model.intercept_, "<f4"),
        },
    )


def shapes(meta: Mapping[str, Any]) -> dict[str, tuple[int | None, ...]]:
    """What a stored file with this description must hold."""
    n = len(meta["terms"])
    rows = 1 if len(meta["labels"]) == 2 else len(meta["labels"])
    return {"idf": (n,), "coef": (rows, n), "intercept": (rows,)}


class TextModel:
    """Probabilities of the classes for texts."""

    def __init__(self, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self.labels: list[str] = list(meta["labels"])
        self._vectoriser = TfidfVectorizer(
            analyzer="char", ngram_range=(1, 3), sublinear_tf=True, vocabulary=list(meta["terms"])
        )
        self._vectoriser.idf_ = arrays["idf"].astype(np.float64)
        self._coef = arrays["coef"].astype(np.float64)
        self._intercept = arrays["intercept"].astype(np.float64)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(n, classes); an empty text gets the classes' base rates as the model has them."""
        if not texts:
            return np.zeros((0, len(self.labels)))
        matrix = self._vectoriser.transform([text[:MAX_CHARACTERS] for text in texts])
        logits = np.asarray(matrix @ self._coef.T) + self._intercept
        if len(self.labels) == 2:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        logits -= logits.max(axis=1, keepdims=True)
        weights = np.exp(logits)
        return weights / weights.sum(axis=1, keepdims=True)
