"""The app: a dataset's champion behind HTTP."""

import asyncio
import gc
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from pipeline.project.params import Params
from pipeline.serving import description
from pipeline.serving.counters import Counters
from pipeline.serving.description import GUARDED
from pipeline.serving.door import TOKEN, Door, refusal, send_json
from pipeline.serving.inference_log.lines import Entry
from pipeline.serving.inference_log.writer import Writer
from pipeline.serving.live import Live
from pipeline.serving.loaded import ServedModel
from pipeline.serving.shadow import ShadowTest
from pipeline.serving.signature import BadRequest

# of Python's threads (0.005 by default): requests wait less for the log's and the registry's
SECONDS_PER_TURN = 0.0005
# bytes; a longer body is answered in a thread, so that short ones need not wait
QUICK_BODY = 10_000
POOL = "MLFLOW_SQLALCHEMYSTORE_POOLCLASS"
PREDICT = "/predict"
# nginx's status for a client that left; nobody reads the answer, the counts do
GONE = 499


def create_app(dataset: str, settings: Params, trust_code: bool = False) -> Door:
    """Return the ASGI app that serves a dataset's champion.

    `trust_code` is that of storage.load. Raises DataError where there is none, or it cannot be
    served.
    """
    from fastapi import FastAPI

    # a connection that is kept would go on reading a store that was deleted, and break the one that
    # is made in its place
    os.environ.setdefault(POOL, "NullPool")
    service = Service(dataset, settings, trust_code)
    champion = service.live.champion
    app = FastAPI(
        title=champion.name,
        version=str(champion.version),
        lifespan=service.lifespan,
        docs_url=None,
        redoc_url=None,
    )
    _add_paths(app, service)
    app.add_exception_handler(Exception, _fault)
    token = os.environ.get(TOKEN)

    def document() -> dict[str, Any]:
        return description.document(app, service.live.champion, bool(token))

    app.openapi = document  # type: ignore[method-assign]
    paths = {route.path for route in app.routes}  # type: ignore[attr-defined]
    return Door(_Paths(app, service), token, service.serve.allowed_hosts, service.counters, paths)


class _Paths:
    """Predictions are answered at once, all else by FastAPI, whose way to a function takes longer
    than most predictions; it knows the path of predictions to describe it."""

    def __init__(self, app: Any, service: "Service") -> None:
        self.app = app
        self.predict = service.predict

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == PREDICT and scope["method"] == "POST":
            await self.predict(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _add_paths(app: Any, service: "Service") -> None:
    app.add_api_route(
        PREDICT,
        service.described_predict,
        methods=["POST"],
        responses=description.PREDICT_RESPONSES,
        openapi_extra=description.PREDICT_REQUEST,
    )
    app.add_api_route("/model-info", service.model_info, responses=GUARDED)
    for path, endpoint in (("/health", service.health), ("/ready", service.ready)):
        app.add_api_route(path, endpoint)
        app.add_api_route(path, endpoint, methods=["HEAD"], include_in_schema=False)
    app.add_api_route(
        "/metrics", service.metrics, response_class=PlainTextResponse, responses=GUARDED
    )
    app.add_api_route("/", service.page, response_class=HTMLResponse, responses=GUARDED)


class Service:
    """What answers each path: the live versions, the counters and the inference log."""

    def __init__(self, dataset: str, settings: Params, trust_code: bool) -> None:
        self.dataset = dataset
        self.serve = settings.dataset(dataset).serve
        self.counters = Counters()
        self.live = Live(dataset, settings, self.counters, trust_code)
        # while the server runs
        self.log: Writer | None = None
        self.shadow: ShadowTest | None = None

    @asynccontextmanager
    async def lifespan(self, app: Any) -> AsyncIterator[None]:
        """Write the log and follow the registry while the server runs."""
        sys.setswitchinterval(SECONDS_PER_TURN)
        # what is loaded stays: a full collection would look through all of it, for 60 ms each time
        gc.collect()
        gc.freeze()
        self.log = Writer(
            self.dataset,
            self.serve.log_sample,
            self.serve.log_redact,
            self.serve.log_file_size,
            self.serve.log_fsync,
            self.counters.count_logged,
        )
        if self.serve.shadow:
            self.shadow = ShadowTest(self.live, self.log)
        following = asyncio.create_task(self._follow())
        yield
        following.cancel()
        if self.shadow is not None:
            await run_in_threadpool(self.shadow.close)
        await run_in_threadpool(self.log.close)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self.serve.reload_seconds)
            await run_in_threadpool(self.live.follow)

    async def described_predict(self) -> None:
        """Predict one row, an object with every feature, or many, a list of such objects."""
        raise NotImplementedError("predictions are answered by `predict`")

    async def predict(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for predictions, as an ASGI app."""
        try:
            refused = await self._predict(scope, receive, send)
        except ClientDisconnect:
            refused = refusal(GONE, "the client left in the middle of its request")
        except Exception as error:
            await (await _fault(None, error))(scope, receive, send)
            # uvicorn writes it to standard error
            raise
        if refused is not None:
            await refused(scope, receive, send)

    async def _predict(self, scope: Scope, receive: Receive, send: Send) -> Response | None:
        """Send predictions, or return a refusal."""
        headers = dict(scope["headers"])
        if not is_json(headers.get(b"content-type", b"").decode("latin-1")):
            reason = "the rows have to come as JSON"
            return refusal(415, f"{reason}; send the header `Content-Type: application/json`")
        body = await read_body(receive, self.serve.max_body)
        if body is None:
            reason = f"the body is larger than {self.serve.max_body:,} bytes"
            return refusal(413, f"{reason}; send fewer rows at a time")
        try:
            entry = await self._answered(body, scope["state"]["request_id"])
        except BadRequest as error:
            return refusal(422, error.faults)
        if self.log is not None and self.log.is_behind():
            await run_in_threadpool(self.log.flush)
        self.counters.rows_of(entry.version).inc(len(entry.rows))
        answer = {
            "model": entry.model,
            "model_version": entry.version,
            "request_id": entry.request_id,
            "predictions": entry.answers,
        }
        await send_json(send, orjson.dumps(answer))
        return None

    async def _answered(self, body: bytes, request_id: str) -> Entry:
        """Return a request with its answers, by one version whatever is swapped meanwhile."""
        served = self.live.champion
        if served.form is not None and len(body) <= QUICK_BODY:
            return self._answered_and_logged(served, body, request_id)
        return await run_in_threadpool(self._answered_and_logged, served, body, request_id)

    def _answered_and_logged(self, served: ServedModel, body: bytes, request_id: str) -> Entry:
        """Return a request with its answers, whose lines now wait to be written."""
        entry = served.answered(body, request_id)
        if self.log is not None and self.log.put(entry) and self.shadow is not None:
            self.shadow.put(entry)
        return entry

    async def model_info(self) -> dict[str, Any]:
        """The model that answers, its features, scores and origin."""
        challenger = self.live.challenger
        shadow = None if challenger is None else challenger.version
        described = self.live.champion.described()
        return {**described, "shadow_version": shadow, "faults": self.live.faults}

    async def health(self) -> dict[str, Any]:
        """The process is up."""
        return {"status": "ok"}

    async def ready(self) -> dict[str, Any]:
        """A model is loaded: requests can be sent here."""
        return {"status": "ready"}

    async def metrics(self) -> Response:
        """Counts for Prometheus."""
        return PlainTextResponse(await run_in_threadpool(self.counters.text))

    async def page(self) -> Response:
        """How to ask this server."""
        return HTMLResponse(description.page(self.dataset, self.live.champion))


def is_json(content_type: str) -> bool:
    """Say whether a body is said to be JSON.

    A web page of another site cannot say so without asking first, which no answer here permits.
    """
    return content_type.partition(";")[0].strip().lower() == "application/json"


async def read_body(receive: Receive, most: int) -> bytes | None:
    """Return the body of a request, None where it exceeds `most` bytes: the rest is not read.

    Raises ClientDisconnect where the client leaves before the end of it.
    """
    parts = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        if size > most:
            return None
        more = message.get("more_body", False)
    return b"".join(parts)


async def _fault(request: Any, error: Exception) -> Response:
    return refusal(500, "a fault of the server; its log on standard error says more")
