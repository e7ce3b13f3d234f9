"""Send a message to a webhook, as Slack, Mattermost and others take it.

    ALERT_WEBHOOK=https://hooks.example.org/... python -m ops.notify "the nightly run failed"
    ALERT_WEBHOOK=... python -m ops.notify --status success --link https://ci.example.org/1

With --status the message says how a run of the pipeline ended, and lists the best models.

Reads   the address from the environment, ALERT_WEBHOOK, or from params.yaml, alerts.webhook; the
        environment goes first; with --status metrics/comparison_results.json and
        metrics/validation/ where they are there
Writes  nothing
"""

import logging
import os
import sys
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry
from urllib3.exceptions import MaxRetryError, NewConnectionError, TimeoutError

from pipeline import command
from pipeline.drift.results import TableComparison
from pipeline.drift.verdicts import DRIFT
from pipeline.project import files, paths, rounding
from pipeline.project.errors import PipelineError, UsageError
from pipeline.project.params import Params

VARIABLE = "ALERT_WEBHOOK"
ATTEMPTS = 3
# urllib3's factor: no pause before the second attempt, twice as many seconds before the third
PAUSE = 1.0
TIMEOUT = 5.0  # seconds that a server may be silent
LIMIT = 20.0  # seconds in all, the look-up of the name included, which has no timeout
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Message:
    """What is sent: a text for people, and fields for programs."""

    text: str
    fields: dict[str, Any] = field(default_factory=dict)


# sending


def address(settings: Params | None = None) -> str | None:
    """Return where alerts go, None where nothing says so; the environment overrides params.yaml."""
    configured = settings.alerts.webhook if settings else None
    return os.environ.get(VARIABLE, "").strip() or configured


def post(url: str, message: str, limit: float = LIMIT, **fields: Any) -> bool:
    """Send {"text": message, **fields} as JSON; return whether it was taken.

    Several attempts are made within `limit` seconds. A failure is one line on standard error and
    never an exception: an alert that cannot be sent changes no result. Only the host of the address
    is shown, as the rest is what lets one in.
    """
    outcome: list[str] = []
    content = {"text": _without_commands(message), **fields}

    def send() -> None:
        outcome.append(_failure(url, content, min(TIMEOUT, limit)))

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    thread.join(limit)
    failure = outcome[0] if outcome else f"no answer in {limit:g} seconds"
    if failure:
        print(f"alert not sent to {_host(url)}: {failure}", file=sys.stderr)
    return not failure


def _without_commands(message: str) -> str:
    """Return a message in which the name of a column calls nobody and links nothing.

    By https://docs.slack.dev/messaging/formatting-message-text#escaping.
    """
    return message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _failure(url: str, content: dict[str, Any], timeout: float) -> str:
    """Send the content; return why it was not taken, "" where it was."""

    # it would log the address at each attempt
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    try:
        # the body of the answer is not read, and no redirection followed
        with (
            _session() as session,
            session.post(
                url, json=content, timeout=timeout, allow_redirects=False, stream=True
            ) as answer,
        ):
            status = answer.status_code
    except requests.ConnectionError as error:
        reason = f"no answer in {timeout:.2g} seconds" if _is_silence(error) else "no connection"
        return f"{reason}, {ATTEMPTS} attempts"
    except Exception as error:  # its text would hold the address
        return f"{type(error).__name__}; check the address"
    if status < 300:
        return ""
    return f"HTTP {status}, {ATTEMPTS} attempts" if status in TRY_AGAIN else f"HTTP {status}"


def _session() -> Any:
    """Return a session of requests that makes several attempts."""

    retry = Retry(
        total=ATTEMPTS - 1,
        backoff_factor=PAUSE,
        status_forcelist=TRY_AGAIN,
        # POST as well, which urllib3 leaves out
        allowed_methods=None,
        raise_on_status=False,
        # a server may ask for more seconds than there are
        respect_retry_after_header=False,
    )
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))
    return session


def _is_silence(error: Exception) -> bool:
    """Tell whether a connection failed because the server did not answer in time."""

    failure = error.args[0] if error.args else None
    if not isinstance(failure, MaxRetryError):
        return False
    # urllib3 counts a refused connection among those that ran out of time
    refused = isinstance(failure.reason, NewConnectionError)
    return isinstance(failure.reason, TimeoutError) and not refused


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the webhook"
    except ValueError:
        return "the webhook"


# what is sent


def announce_drift(
    name: str, text: str, found: TableComparison, dataset: str | None, settings: Params | None
) -> None:
    """Report drift where somebody will see it: in a run of GitHub Actions, and by the webhook.

    Stages of `dvc repro` send only where params.yaml says so: their data are the same at each run.
    """
    if found.verdict != DRIFT:
        return
    if os.environ.get("GITHUB_ACTIONS") == "true":
        title = _in_command(f"drift {name}", "%\r\n:,")
        print(f"::warning title={title}::{_in_command(found.recommendation)}")
    stages_send = settings is not None and settings.alerts.stages
    url = address(settings)
    if url and ("DVC_STAGE" not in os.environ or stages_send):
        post(
            url,
            text,
            dataset=dataset,
            verdict=found.verdict,
            drifted=found.features.drifted,
            recommendation=found.recommendation,
        )


def _in_command(text: str, signs: str = "%\r\n") -> str:
    """Return text for a command of a workflow, in which these signs mean something else.

    By https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts.
    """
    for sign in signs:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def run_message(status: str, link: str | None) -> Message:
    """Return the message on a run of the pipeline: how it ended, its gates and best models."""
    footer = [link] if link else []
    # it may have failed before there was anything to compare
    if not paths.COMPARISON.is_file():
        text = "\n".join([f"pipeline: {status}", *footer])
        return Message(text, {"status": status, "link": link})
    datasets = files.read_json(paths.COMPARISON, made_by="dvc repro")["datasets"]
    gates = _gates_passed()
    models = sum(len(result["candidates"]) for result in datasets.values())
    best = {dataset: _best(result) for dataset, result in datasets.items()}
    lines = [
        f"pipeline: {status}; {models} models, {sum(gates)} of {len(gates)} gates pass",
        *(_best_line(dataset, content) for dataset, content in best.items()),
        *footer,
    ]
    fields = {"status": status, "link": link, "models": models, "best": best}
    return Message("\n".join(lines), fields)


def _gates_passed() -> list[bool]:
    """Return whether each gate of each dataset passed."""
    passed = []
    for path in sorted(paths.VALIDATION.glob("*.json")):
        gates = files.read_json(path, made_by="dvc repro")["gates"]
        passed += [gate["passed"] for gate in gates]
    return passed


def _best(result: dict[str, Any]) -> dict[str, Any]:
    """Return what is sent of a dataset's best model."""
    metric, name = result["primary_metric"], result["best"]["name"]
    return {
        "model": name,
        "metric": metric,
        "cv": result["candidates"][name]["cv"][metric]["mean"],
        "synthetic": result["synthetic"],
        "improvement": result["best"]["improvement"],
    }


def _best_line(dataset: str, best: dict[str, Any]) -> str:
    """Return a line on a dataset's best model."""
    line = f"{dataset}: {best['model']}, cv {best['metric']} {rounding.number_text(best['cv'])}"
    gain = best["improvement"]
    if gain and gain["percent"] is not None:
        line += f", {rounding.number_text(gain['percent'])} % better than {gain['over']}"
    return f"{line} (synthetic data)" if best["synthetic"] else line


def main(argv: list[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument("message", nargs="?", help="what to send")
    parser.add_argument(
        "--status", metavar="S", help="how a run of the pipeline ended; lists its best models"
    )
    parser.add_argument("--link", metavar="URL", help="with --status: where the run can be seen")
    args = parser.parse_args(argv)
    if bool(args.message) == bool(args.status):
        raise UsageError("give a message, or --status")
    url = address() or address(command.settings())
    if not url:
        raise UsageError(f"no address; set {VARIABLE}, or alerts.webhook in params.yaml")
    message = Message(args.message) if args.message else run_message(args.status, args.link)
    if not post(url, message.text, **message.fields):
        raise PipelineError("the message was not sent")
    print(f"notify: sent to {_host(url)}")


if __name__ == "__main__":
    command.run(main)
