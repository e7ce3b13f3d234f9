"""XGBoost's trees walked by LightGBM.

XGBoost takes 40 µs for a call and 0.1 to 0.4 µs for each tree of it, LightGBM 1 µs and 0.03 to
0.1 µs. So the trees are written as LightGBM stores its own, and LightGBM says in which leaf of each
a row falls; the values of the leaves are then added as XGBoost adds them.

Formats: https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html, and Tree::ToString in
https://github.com/microsoft/LightGBM/blob/master/src/io/tree.cpp
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

# more than any code of a category, see MOST_CODES in models/preprocessing.py
CODES = 256
BITS = 32
# of a split in LightGBM's file: what it looks at, where a missing value goes, which one is missing
CATEGORICAL, DEFAULT_LEFT, NAN_IS_MISSING = 1, 2, 8


@dataclass(frozen=True)
class Trees:
    """LightGBM's text of XGBoost's trees, and the values of each tree's leaves."""

    text: str
    leaf_values: list[np.ndarray]


def as_lightgbm(trees: list[dict[str, Any]], columns: int) -> Trees:
    """Return the trees of XGBoost's JSON in LightGBM's form; raises ValueError if they have none.

    `columns` is the number of the table's columns.
    """
    converted = [_Tree(tree) for tree in trees]
    texts = [tree.text(number) for number, tree in enumerate(converted)]
    header = [
        "tree",
        "version=v4",
        "num_class=1",
        "num_tree_per_iteration=1",
        "label_index=0",
        f"max_feature_idx={columns - 1}",
        "objective=regression",
        f"feature_names={_joined(f'Column_{column}' for column in range(columns))}",
        f"feature_infos={_joined(['none'] * columns)}",
        f"tree_sizes={_joined(len(text) for text in texts)}",
        "",
    ]
    text = "\n".join(header) + "\n" + "".join(texts) + "end of trees\n"
    return Trees(text, [tree.leaf_values for tree in converted])


def _joined(values: Any) -> str:
    return " ".join(map(str, values))


class _Tree:
    """One tree of XGBoost, whose splits and leaves are numbered as LightGBM numbers them."""

    def __init__(self, tree: dict[str, Any]) -> None:
        if tree["tree_param"]["size_leaf_vector"] not in ("0", "1"):
            raise ValueError("a leaf holds several values")
        self.left = np.array(tree["left_children"])
        self.right = np.array(tree["right_children"])
        self.is_leaf = self.left == -1
        self.default_left = np.array(tree["default_left"], dtype=bool)
        self.is_categorical = np.array(tree["split_type"]) == 1
        self.column = np.array(tree["split_indices"])
        self.condition = np.array(tree["split_conditions"], dtype=np.float32)
        self.leaf_values = self.condition[self.is_leaf]
        # LightGBM counts splits and leaves apart, and writes the number of a leaf as ~number
        self.number = np.where(
            self.is_leaf, ~(np.cumsum(self.is_leaf) - 1), np.cumsum(~self.is_leaf) - 1
        )
        self.categories = _category_sets(tree)

    def text(self, number: int) -> str:
        """Return the tree in LightGBM's form."""
        splits = np.flatnonzero(~self.is_leaf)
        # XGBoost goes left where a 32-bit number is less, LightGBM where it is at most this one
        below = np.nextafter(self.condition, np.float32(-np.inf), dtype=np.float32)
        left, right = self.left.copy(), self.right.copy()
        thresholds = below.astype(float).tolist()
        words: list[int] = []
        ends = [0]
        for split in splits[self.is_categorical[splits]]:
            if self.default_left[split]:
                left[split], right[split] = right[split], left[split]
            thresholds[split] = len(ends) - 1
            words += self._goes_left(split)
            ends.append(len(words))
        kinds = (
            np.where(self.is_categorical, CATEGORICAL, DEFAULT_LEFT * self.default_left)
            + NAN_IS_MISSING
        )
        lines = [
            f"Tree={number}",
            f"num_leaves={self.is_leaf.sum()}",
            f"num_cat={len(ends) - 1}",
            f"split_feature={_joined(self.column[splits])}",
            f"threshold={_joined(repr(thresholds[split]) for split in splits)}",
            f"decision_type={_joined(kinds[splits])}",
            f"left_child={_joined(self.number[left[splits]])}",
            f"right_child={_joined(self.number[right[splits]])}",
            f"leaf_value={_joined(self.leaf_values.astype(float).tolist())}",
            *(
                [f"cat_boundaries={_joined(ends)}", f"cat_threshold={_joined(words)}"]
                if words
                else []
            ),
            "is_linear=0",
            "shrinkage=1",
            "",
            "",
        ]
        return "\n".join(lines) + "\n"

    def _goes_left(self, split: int) -> list[int]:
        """Return the categories that LightGBM sends left in a split, as 32-bit words.

        XGBoost sends those of a set right, all others left, and a missing one either way. LightGBM
        sends a missing one right, so that the sides are swapped where XGBoost sends it left.
        """
        is_in_set = np.zeros(CODES, dtype=bool)
        is_in_set[self.categories[split]] = True
        goes_left = is_in_set if self.default_left[split] else ~is_in_set
        return np.packbits(goes_left, bitorder="little").view("<u4").tolist()


def _category_sets(tree: dict[str, Any]) -> dict[int, np.ndarray]:
    """Return the categories that each categorical split sends right."""
    categories = np.array(tree["categories"], dtype=int)
    if len(categories) and categories.max() >= CODES:
        raise ValueError(f"a split knows more than {CODES} categories")
    sets = {}
    for split, start, size in zip(
        tree["categories_nodes"], tree["categories_segments"], tree["categories_sizes"]
    ):
        sets[split] = categories[start : start + size]
    return sets
