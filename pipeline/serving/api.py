"""The HTTP side of serving: what every request passes, what is counted, and the API's description.

Nothing here knows how a model predicts; serve.py joins both.
"""

import hmac
import ipaddress
import json
import os
import re
import time
import uuid
from functools import cache

from pydantic import BaseModel

TOKEN, SHARED_METRICS = "SERVE_TOKEN", "PROMETHEUS_MULTIPROC_DIR"
OPEN_PATHS = ("/health", "/ready")  # for those who watch the server; they tell nothing of the model
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
MOST_CATEGORIES = 12  # of a feature on the page


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


GUARDED = {
    401: {
        "description": "The token is missing or wrong",  # JSON, whatever the path itself answers with
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
    }
}
PREDICT = {
    "responses": {
        200: {"model": Answer, "description": "A prediction for each row, in their order"},
        **GUARDED,
        413: {"model": Refusal, "description": "The body is too large"},
        422: {
            "model": Faults,
            "description": "Fields that are missing, unknown or of another type, and why",
        },
    },
    "openapi_extra": {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "anyOf": [
                            {"$ref": "#/components/schemas/Row"},
                            {
                                "type": "array",
                                "minItems": 1,
                                "items": {"$ref": "#/components/schemas/Row"},
                            },
                        ]
                    }
                }
            },
        },
        "parameters": [
            {
                "name": "X-Request-ID",
                "in": "header",
                "required": False,
                "description": "Up to 64 letters, digits and ._- that are returned and logged; else the server makes one",
                "schema": {"type": "string"},
            }
        ],
    },
}


def document(app, served, guarded: bool) -> dict:
    """Return the OpenAPI document of the app, with a row typed by the model that is served now."""
    from fastapi.openapi.utils import get_openapi

    document = get_openapi(
        title=served.name,
        version=str(served.version),
        description=app.description,
        routes=app.routes,
    )
    document["components"]["schemas"]["Row"] = served.signature.schema()
    if guarded:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        for path, operations in document["paths"].items():
            for operation in operations.values():
                operation["security"] = [] if path in OPEN_PATHS else [{"token": []}]
    return document


def page(dataset: str, served) -> str:
    """Return the page that tells how to ask the server."""
    from jinja2 import Environment, PackageLoader, select_autoescape

    template = Environment(
        loader=PackageLoader("pipeline.serving", ""),
        autoescape=select_autoescape(("j2",)),
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("serving.html.j2")
    return template.render(
        dataset=dataset,
        served=served.described(),
        example=json.dumps(served.example, ensure_ascii=False),
        most_categories=MOST_CATEGORIES,
    )


class Counters:
    """What GET /metrics tells; with several workers they share files, so that each tells of all."""

    def __init__(self):
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self.registry = CollectorRegistry()
        self.requests = Counter(
            "serve_requests", "Requests answered", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "serve_predict_seconds",
            "Seconds from a prediction's request to its answer",
            buckets=SECONDS,
            registry=self.registry,
        )
        self.rows = Counter(
            "serve_rows", "Rows predicted", ["model_version"], registry=self.registry
        )
        self.logged = Counter(
            "serve_log_rows",
            "Rows for the inference log: written, or lost to a full memory or disk",
            ["outcome"],
            registry=self.registry,
        )
        self.reloads = Counter(
            "serve_reloads",
            "Versions that an alias named anew",
            ["alias", "outcome"],
            registry=self.registry,
        )
        self.model_version = Gauge(
            "serve_model_version",
            "The version that is served",
            registry=self.registry,
            multiprocess_mode="mostrecent",
        )
        for outcome in ("written", "full", "disk"):
            self.logged.labels(outcome)

    def text(self) -> bytes:
        """Return the counts in Prometheus's format."""
        from prometheus_client import CollectorRegistry, generate_latest, multiprocess

        registry = self.registry
        if SHARED_METRICS in os.environ:
            registry = CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)
        return generate_latest(registry)


class Gate:
    """What every request passes: the token, a request id, the count."""

    def __init__(self, app, token: str | None, counters: Counters, paths: set[str]):
        self.app, self.counters, self.paths = app, counters, paths
        self.expected = f"Bearer {token}".encode() if token else None

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started, headers, path = time.perf_counter(), dict(scope["headers"]), scope["path"]
        sent = headers.get(b"x-request-id", b"")
        request_id = sent.decode() if REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}

        async def answer(message):
            if message["type"] == "http.response.start":
                message["headers"].append((b"x-request-id", request_id.encode()))
                self.counters.requests.labels(
                    path if path in self.paths else "other", message["status"]
                ).inc()
                if path == "/predict":
                    self.counters.seconds.observe(time.perf_counter() - started)
            await send(message)

        refusal = None if path in OPEN_PATHS else self._refusal(headers, scope)
        app = (
            response(401, refusal, headers={"www-authenticate": "Bearer"}) if refusal else self.app
        )
        await app(scope, receive, answer)

    def _refusal(self, headers: dict[bytes, bytes], scope: dict) -> str | None:
        if self.expected is None:
            server = scope.get("server")
            return (
                None
                if not server or is_loopback(server[0])
                else f"{TOKEN} is not set, so that only loopback is served"
            )
        if hmac.compare_digest(headers.get(b"authorization", b""), self.expected):
            return None
        return "missing or wrong token; send the header `Authorization: Bearer <token>`"


@cache
def is_loopback(host: str) -> bool:
    """Tell whether an address is one of this machine alone; a name that is no address (a socket's path) is."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return True


def response(status: int, detail, **options):
    """Return a refusal and its reason as JSON."""
    import orjson
    from starlette.responses import Response

    return Response(
        orjson.dumps({"detail": detail}), status, media_type="application/json", **options
    )


async def read_body(request, most: int) -> bytes | None:
    """Return the body of a request, None where it is longer than allowed: what is beyond is not read."""
    parts, size = [], 0
    async for part in request.stream():
        parts.append(part)
        size += len(part)
        if size > most:
            return None
    return b"".join(parts)
