"""The spec of a model: as metadata.json holds it, and what is missing there is named."""

import pytest

from pipeline.models.spec import SCHEMA, Member, from_json
from pipeline.project.errors import DataError
from support.model_cases import spec


def test_spec_is_read_as_it_was_written():
    plain = spec("ridge", "regression")
    assert "members" not in plain.as_json()
    blend = spec(
        "blend", "two", members=(Member("ridge", "log1p", 0.25), Member("dummy", "none", 0.75))
    )
    for written in (plain, blend):
        assert from_json({"schema": SCHEMA, **written.as_json(), "dataset": "tiny"}) == written


@pytest.mark.parametrize("key", ["name", "inputs", "features", "classes", "threshold"])
def test_missing_key_is_named_with_the_file(key):
    content = spec("ridge", "regression").as_json()
    content.pop(key)
    with pytest.raises(DataError, match=f"m.json: no key '{key}'; restore it with `dvc checkout`"):
        from_json(content, "m.json")


def test_missing_key_of_a_member_is_named():
    content = {**spec("blend", "two").as_json(), "members": [{"name": "ridge", "weight": 1.0}]}
    with pytest.raises(DataError, match="m.json: a member has no key 'target_transform'"):
        from_json(content, "m.json")


def test_model_of_an_earlier_version_is_refused_with_what_to_do():
    content = {"schema": 1, "name": "ridge", "features": {"size": "numeric"}}
    message = f"m.json: schema 1 is of an earlier .* reads {SCHEMA}; run `dvc repro`, and register"
    with pytest.raises(DataError, match=message) as refused:
        from_json(content, "m.json")
    assert "\n" not in str(refused.value)
