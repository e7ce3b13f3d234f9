"""Serve the champion of one dataset over HTTP, on 127.0.0.1 unless told otherwise; it follows the registry's alias.

    python serve.py --dataset iris                          # http://127.0.0.1:8000
    python serve.py --dataset iris --port 8080 --workers 2
    SERVE_DATASET=iris uvicorn serve:app --reload

With SERVE_TOKEN set, all but GET /health and /ready ask for `Authorization: Bearer <token>`; another --host needs it, too.

Reads   params.yaml, the registry; data/processed/iris/test.parquet, where it is there, to try the model on
Writes  logs/inference/iris.jsonl
"""

import gc
import os
import socket
import sys
import tempfile
from contextlib import asynccontextmanager

from pipeline import command
from pipeline.inference_log.writer import Writer
from pipeline.project.errors import DataError, UsageError
from pipeline.serving import api, loaded
from pipeline.serving.api import Counters, Gate
from pipeline.serving.live import Live
from pipeline.serving.signature import BadRequest

DATASET = "SERVE_DATASET"
SECONDS_PER_TURN = 0.0005  # of Python's threads (0.005 by default): requests wait less for the log's and the registry's
QUICK_BODY = 10_000  # bytes; a longer one is answered in a thread, so that short ones need not wait
POOL = "MLFLOW_SQLALCHEMYSTORE_POOLCLASS"
GONE = 499  # nginx's status for it; nobody reads the answer, the counts do


def __getattr__(name):
    """Make the app when `uvicorn serve:app` asks for it, not when this module is imported."""
    if name != "app":
        raise AttributeError(name)
    if not os.environ.get(DATASET):
        raise UsageError(f"set {DATASET} to the dataset to serve: {DATASET}=iris uvicorn serve:app")
    command.limit_threads()
    return create_app(os.environ[DATASET])


def create_app(dataset):
    """Return the ASGI app that serves a dataset's champion."""
    import asyncio

    import orjson
    from fastapi import FastAPI, Request
    from fastapi.responses import HTMLResponse, PlainTextResponse, Response
    from starlette.concurrency import run_in_threadpool
    from starlette.requests import ClientDisconnect

    # a connection that is kept would go on reading a store that was deleted, and break the one that is made in its place
    os.environ.setdefault(POOL, "NullPool")
    settings = command.settings()
    serve, counters = settings.dataset(dataset).serve, Counters()
    live = Live(dataset, settings, counters)

    @asynccontextmanager
    async def lifespan(app):
        sys.setswitchinterval(SECONDS_PER_TURN)
        gc.collect()
        gc.freeze()  # what is loaded stays: a full collection would look through all of it, for 60 ms each time
        log = app.state.log = Writer(
            dataset,
            serve.log_sample,
            serve.log_redact,
            serve.log_file_size,
            lambda outcome, rows: counters.logged.labels(outcome).inc(rows),
            live.run_along,
        )

        async def follow():
            while True:
                await asyncio.sleep(serve.reload_seconds)
                await run_in_threadpool(live.follow)

        following = asyncio.create_task(follow())
        yield
        following.cancel()
        await run_in_threadpool(log.close)

    app = FastAPI(
        title=live.champion.name,
        version=str(live.champion.version),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    app.openapi = lambda: api.document(app, live.champion, bool(os.environ.get(api.TOKEN)))

    @app.post("/predict", **api.PREDICT)
    async def predict(request: Request):
        """Predict one row, an object with every feature, or many, a list of such objects."""
        body = await api.read_body(request, serve.max_body)
        if body is None:
            return api.response(
                413, f"the body is larger than {serve.max_body:,} bytes; send fewer rows at a time"
            )
        served, request_id = (
            live.champion,
            request.state.request_id,
        )  # one version for all of it, whatever is swapped
        try:
            if served.compiled and len(body) <= QUICK_BODY:
                entry = loaded.answered(served, body, request_id)
            else:
                entry = await run_in_threadpool(loaded.answered, served, body, request_id)
        except BadRequest as error:
            return api.response(422, error.faults)
        app.state.log.put(entry)
        counters.rows.labels(served.version).inc(len(entry.rows))
        return Response(
            orjson.dumps(
                {
                    "model": served.name,
                    "model_version": served.version,
                    "request_id": request_id,
                    "predictions": entry.answers,
                }
            ),
            media_type="application/json",
        )

    @app.get("/model-info", responses=api.GUARDED)
    async def model_info() -> dict:
        """The model that answers, its features, scores and origin."""
        shadow = live.challenger and live.challenger.version
        return live.champion.described() | {"shadow_version": shadow, "faults": live.faults}

    @app.head("/health", include_in_schema=False)
    @app.get("/health")
    async def health() -> dict:
        """The process is up."""
        return {"status": "ok"}

    @app.head("/ready", include_in_schema=False)
    @app.get("/ready")
    async def ready() -> dict:
        """A model is loaded: requests can be sent here."""
        return {"status": "ready"}

    @app.get("/metrics", response_class=PlainTextResponse, responses=api.GUARDED)
    async def metrics():
        """Counts for Prometheus."""
        return PlainTextResponse(await run_in_threadpool(counters.text))

    @app.get("/", response_class=HTMLResponse, responses=api.GUARDED)
    async def page():
        """How to ask this server."""
        return HTMLResponse(api.page(dataset, live.champion))

    @app.exception_handler(ClientDisconnect)
    async def gone(request, error):
        return api.response(GONE, "the client left in the middle of its request")

    @app.exception_handler(Exception)
    async def fault(request, error):
        return api.response(500, "a fault of the server; its log on standard error says more")

    return Gate(app, os.environ.get(api.TOKEN), counters, {route.path for route in app.routes})


def check_address(host, port):
    """Raise where the server may not or cannot listen there."""
    if host != "localhost" and not api.is_loopback(host) and not os.environ.get(api.TOKEN):
        raise UsageError(
            f"--host {host}: others could ask this server; set {api.TOKEN} to a secret that they have to send"
        )
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM
        )[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        raise DataError(
            f"cannot listen on {host} port {port}: {error.strerror}; choose another --port"
        ) from None


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument("--dataset", required=True, metavar="D", help="a dataset of params.yaml")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="the port to listen on (8000)")
    parser.add_argument(
        "--workers", type=int, default=1, metavar="N", help="processes that answer (1)"
    )
    args = parser.parse_args(argv)
    if args.workers < 1 or not 0 < args.port < 65536:
        raise UsageError("give --workers 1 or more and a --port from 1 to 65535")
    settings = command.settings()
    settings.dataset(args.dataset)
    check_address(args.host, args.port)
    import uvicorn

    options = {
        "host": args.host,
        "port": args.port,
        "log_level": "warning",
        "access_log": False,
        "timeout_graceful_shutdown": 10,
    }
    try:
        if args.workers == 1:
            app = create_app(args.dataset)
            print(f"serve {args.dataset}: http://{args.host}:{args.port}", flush=True)
            uvicorn.run(app, **options)
        else:
            with tempfile.TemporaryDirectory() as shared:
                os.environ |= {DATASET: args.dataset, api.SHARED_METRICS: shared}
                loaded.load(args.dataset, settings)  # a fault is told once, not by each worker
                print(
                    f"serve {args.dataset}: http://{args.host}:{args.port}, {args.workers} workers",
                    flush=True,
                )
                uvicorn.run("serve:app", workers=args.workers, **options)
    except KeyboardInterrupt:
        print(f"serve {args.dataset}: stopped")


if __name__ == "__main__":
    command.run(main)
