"""Clean columns: few values that are of their final type already and need no reading.

To read a column takes pandas a millisecond however short it is, too long for a request of one row
whose columns the user's own code makes.
"""

import math
from functools import cache
from typing import Any

import pandas as pd

# of more, reading takes no longer than looking at them one by one
FEW_VALUES = 20


def is_clean(values: pd.Series, pandas_type: str) -> bool:
    """Say whether few values are of a type and hold no infinity, no blank text and no outer blanks.

    False for more than FEW_VALUES.
    """
    if len(values) > FEW_VALUES or values.dtype != _dtype(pandas_type):
        return False
    plain = values.tolist()
    if values.dtype.kind == "M":
        return True
    if values.dtype.kind == "f":
        return not any(map(math.isinf, plain))
    return all(text == text.strip() != "" for text in plain if isinstance(text, str))


@cache
def _dtype(pandas_type: str) -> Any:
    return pd.api.types.pandas_dtype(pandas_type)
