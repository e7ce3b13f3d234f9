"""A version that is loaded to be served, and what is refused."""

import pytest

from pipeline.project.errors import DataError
from support.served import app_of, set_serving


def test_redacting_what_is_no_feature_is_refused(served_copy):
    set_serving(log_redact=["towm"])
    with pytest.raises(
        DataError,
        match="serve.log_redact names 'towm', which is not a feature of TinyPredictor version 1; "
        "it has: 'size',",
    ):
        app_of("tiny")
