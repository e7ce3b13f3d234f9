"""One row through LightGBM, without the Python class: its C functions for single rows.

https://lightgbm.readthedocs.io/en/stable/C-API.html, LGBM_BoosterPredictForMatSingleRowFast. A call
takes 1 µs besides the trees, `Booster.predict` 20 µs.
"""

import ctypes
import threading
from typing import Any

import numpy as np

# what is asked for: the output, or the leaf of each tree
OUTPUT, LEAVES = 0, 2
FLOAT64 = 1
OPTIONS = b"num_threads=1 predict_disable_shape_check=true"


class RowBooster:
    """A LightGBM booster that takes one row at a time; `size` is the length of what it puts out."""

    def __init__(self, booster: Any, asked: int, size: int) -> None:
        from lightgbm import basic

        # it keeps Python's lock: to give it away and wait for it again takes longer than a call
        library = ctypes.PyDLL(basic._LIB._name)
        self._booster = booster
        self._call = library.LGBM_BoosterPredictForMatSingleRowFast
        self._row = np.zeros(booster.num_feature())
        self._output = np.zeros(size)
        self._written = ctypes.c_int64()
        self._settings = ctypes.c_void_p()
        failed = library.LGBM_BoosterPredictForMatSingleRowFastInit(
            booster._handle,
            ctypes.c_int(asked),
            ctypes.c_int(0),
            ctypes.c_int(booster.best_iteration),
            ctypes.c_int(FLOAT64),
            ctypes.c_int32(len(self._row)),
            ctypes.c_char_p(OPTIONS),
            ctypes.byref(self._settings),
        )
        if failed:
            raise ValueError("LightGBM does not take this booster for single rows")
        self._free = library.LGBM_FastConfigFree
        self._arguments = (
            self._settings,
            ctypes.c_void_p(self._row.ctypes.data),
            ctypes.byref(self._written),
            ctypes.c_void_p(self._output.ctypes.data),
        )
        # the row and the output have one place each, and requests are answered in several threads
        self._lock = threading.Lock()

    def __del__(self) -> None:
        if hasattr(self, "_free"):
            self._free(self._settings)

    def of(self, row: np.ndarray) -> np.ndarray:
        """Return the booster's output for a row, shape (columns,), or the leaf of each tree."""
        with self._lock:
            self._row[:] = row
            failed = self._call(*self._arguments)
            output = self._output.copy()
        if failed or self._written.value != len(output):
            raise ValueError("LightGBM did not take a row")
        return output
