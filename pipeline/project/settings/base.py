"""What the blocks share: unknown keys refused, faults that name their key, names, plain values."""

import math
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]


def _plain(value: object) -> object:
    finite = isinstance(value, float) and math.isfinite(value)
    if finite or isinstance(value, bool | int | str | None):
        return value
    raise ValueError("must be a number, text, true, false or null")


PlainValue = Annotated[Any, AfterValidator(_plain)]


def fault(key: str | None, message: str) -> PydanticCustomError:
    """Return the error of a key below the block that is being checked."""
    return PydanticCustomError("fault", "{message}", {"key": key, "message": message})


class Settings(BaseModel):
    """A block of params.yaml: unknown keys and other types are refused, values never change."""

    model_config = ConfigDict(frozen=True, strict=True)

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, block: object) -> object:
        if not isinstance(block, dict):
            return block
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in block:
            if key not in known:
                raise fault(str(key), f"unknown key; allowed: {', '.join(known)}")
        return block
