"""The description of the server: its OpenAPI document, and the page that says how to ask it."""

import json
from typing import Any

from pydantic import BaseModel

from pipeline.project import markup
from pipeline.serving.door import OPEN_PATHS
from pipeline.serving.loaded import ServedModel

# of a feature on the page
MOST_CATEGORIES = 12


class Prediction(BaseModel):
    prediction: float | str
    probabilities: dict[str, float] = {}


class Answer(BaseModel):
    model: str
    model_version: int
    request_id: str
    predictions: list[Prediction]


class Fault(BaseModel):
    type: str
    loc: list[str | int]
    msg: str


class Faults(BaseModel):
    detail: list[Fault]


class Refusal(BaseModel):
    detail: str


# JSON, whatever the path itself answers with
REFUSED = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
GUARDED: dict[int | str, dict[str, Any]] = {
    401: {"description": "The token is missing or wrong", "content": REFUSED},
    403: {"description": "The host or the web page is not this server's own", "content": REFUSED},
}
PREDICT_RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"model": Answer, "description": "A prediction for each row, in their order"},
    **GUARDED,
    413: {"model": Refusal, "description": "The body is too large"},
    415: {"model": Refusal, "description": "The body is not said to be application/json"},
    422: {
        "model": Faults,
        "description": "Fields that are missing, unknown or of another type, and why",
    },
}
ROW = {"$ref": "#/components/schemas/Row"}
ROWS = {"type": "array", "minItems": 1, "items": ROW}
PREDICT_REQUEST: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"anyOf": [ROW, ROWS]}}},
    },
    "parameters": [
        {
            "name": "X-Request-ID",
            "in": "header",
            "required": False,
            "description": "Up to 64 letters, digits and ._- that are returned and logged; "
            "else the server makes one",
            "schema": {"type": "string"},
        }
    ],
}


def document(app: Any, served: ServedModel, guarded: bool) -> dict[str, Any]:
    """Return the OpenAPI document of the app, with a row typed by the model that is served now.

    `guarded` says that requests need a token.
    """
    from fastapi.openapi.utils import get_openapi

    content = get_openapi(
        title=served.name,
        version=str(served.version),
        description=app.description,
        routes=app.routes,
    )
    content["components"]["schemas"]["Row"] = served.signature.schema()
    if guarded:
        content["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path, operations in content["paths"].items():
            for operation in operations.values():
                operation["security"] = [] if path in OPEN_PATHS else [{"token": []}]
    return content


def page(dataset: str, served: ServedModel) -> str:
    """Return the HTML page that says how to ask the server."""
    page = (
        markup.templates("pipeline.serving", "")
        .get_template("serving.html.j2")
        .render(
            dataset=dataset,
            served=served.described(),
            example=json.dumps(served.example, ensure_ascii=False),
            most_categories=MOST_CATEGORIES,
            policy=markup.security_policy(),
        )
    )
    return markup.storable(page)
