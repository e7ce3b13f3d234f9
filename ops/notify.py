"""Send a message to a webhook, as Slack, Mattermost and others take it.

    ALERT_WEBHOOK=https://hooks.example.org/services/... python -m ops.notify "the nightly run failed"
    ALERT_WEBHOOK=... python -m ops.notify --status success --link https://ci.example.org/1     # with the best models

Reads   the address from the environment, ALERT_WEBHOOK, or from params.yaml, alerts.webhook; the environment goes first;
        with --status metrics/comparison_results.json and metrics/validation/ where they are there
Writes  nothing
"""

import os
import sys
import threading
import time
from urllib.parse import urlsplit

from pipeline import command
from pipeline.project import files, paths, rounding
from pipeline.project.errors import PipelineError, UsageError

VARIABLE = "ALERT_WEBHOOK"
ATTEMPTS = 3
PAUSE = 1.0  # seconds before the second attempt, twice as many before the third
TIMEOUT = 5.0  # seconds that a server may be silent
LIMIT = 20.0  # seconds in all, the look-up of the name included, which knows no timeout
TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)


def address(settings=None) -> str | None:
    """Return where alerts go: the environment's address before that of params.yaml; None where there is neither."""
    return os.environ.get(VARIABLE, "").strip() or (settings.alerts.webhook if settings else None)


def post(url: str, message: str, limit: float = LIMIT, **fields) -> bool:
    """Send {"text": message, **fields} as JSON; return whether it was taken.

    Several attempts are made within `limit` seconds. A failure is one line on standard error and never an exception: an alert
    that cannot be sent changes no result. Of the address no more than the host is told, as the rest is what lets one in.
    """
    outcome = {}
    thread = threading.Thread(
        target=_attempts, args=(url, {"text": message, **fields}, outcome, limit), daemon=True
    )
    thread.start()
    thread.join(limit)
    reason = outcome.get("reason", f"no answer in {limit:g} seconds")
    if reason:
        print(f"alert not sent to {_host(url)}: {reason}", file=sys.stderr)
    return not reason


def _attempts(url: str, content: dict, outcome: dict, limit: float) -> None:
    """Put into `outcome` why a message was not taken, or "" where it was."""
    ends = time.monotonic() + limit
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE * 2 ** (attempt - 1))
        reason, again = _attempt(url, content, min(TIMEOUT, max(ends - time.monotonic(), 0.1)))
        if not reason or not again:
            break
    outcome["reason"] = reason if not reason or not again else f"{reason}, {ATTEMPTS} attempts"


def _attempt(url: str, content: dict, timeout: float) -> tuple[str, bool]:
    """Return why one attempt failed, "" where it did not, and whether another may help."""
    import requests

    try:  # the body of the answer is not read, and no redirection followed
        with requests.post(
            url, json=content, timeout=timeout, allow_redirects=False, stream=True
        ) as answer:
            return (
                "" if answer.status_code < 300 else f"HTTP {answer.status_code}"
            ), answer.status_code in TRY_AGAIN
    except requests.Timeout:
        return f"no answer in {timeout:.2g} seconds", True
    except requests.ConnectionError:
        return "no connection", True
    except Exception as error:  # its text would hold the address
        return f"{type(error).__name__}; check the address", False


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "the webhook"
    except ValueError:
        return "the webhook"


def of_a_run(status: str, link: str | None) -> tuple[str, dict]:
    """Return the message on a pipeline run and its fields: how it went, its models, gates, and the best model of each dataset."""
    if not paths.COMPARISON.is_file():  # it failed before there was anything to compare
        return "\n".join([f"pipeline: {status}", *([link] if link else [])]), {
            "status": status,
            "link": link,
        }
    results = files.read_json(paths.COMPARISON, made_by="dvc repro")["datasets"]
    verdicts = [
        files.read_json(path, made_by="dvc repro")
        for path in sorted(paths.VALIDATION.glob("*.json"))
    ]
    gates = [gate["passed"] for verdict in verdicts for gate in verdict["gates"]]
    models, best = 0, {}
    for name, result in results.items():
        metric, candidate = result["primary_metric"], result["best"]["name"]
        models += len(result["candidates"])
        best[name] = {
            "model": candidate,
            "metric": metric,
            "cv": result["candidates"][candidate]["cv"][metric]["mean"],
            "synthetic": result["synthetic"],
            "improvement": result["best"]["improvement"],
        }
    lines = [f"pipeline: {status}; {models} models, {sum(gates)} of {len(gates)} gates pass"]
    for name, told in best.items():
        gain = told["improvement"]
        better = (
            f", {rounding.number_text(gain['percent'])} % better than {gain['over']}"
            if gain and gain["percent"] is not None
            else ""
        )
        lines.append(
            f"{name}: {told['model']}, cv {told['metric']} {rounding.number_text(told['cv'])}{better}"
            f"{' (synthetic data)' * told['synthetic']}"
        )
    return "\n".join([*lines, *([link] if link else [])]), {
        "status": status,
        "link": link,
        "models": models,
        "best": best,
    }


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument("message", nargs="?", help="what to send")
    parser.add_argument(
        "--status",
        metavar="S",
        help="how a run of the pipeline ended; its best models are told with it",
    )
    parser.add_argument("--link", metavar="URL", help="with --status: where the run can be seen")
    args = parser.parse_args(argv)
    if bool(args.message) == bool(args.status):
        raise UsageError("give a message, or --status")
    url = address() or address(command.settings())
    if not url:
        raise UsageError(f"no address; set {VARIABLE}, or alerts.webhook in params.yaml")
    message, fields = (args.message, {}) if args.message else of_a_run(args.status, args.link)
    if not post(url, message, **fields):
        raise PipelineError("the message was not sent")
    print(f"notify: sent to {_host(url)}")


if __name__ == "__main__":
    command.run(main)
