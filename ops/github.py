"""GitHub: one comment on a pull request, one issue, the start of a workflow.

    python -m ops.github comment --head OWNER:BRANCH --file report.md   # on its open pull request
    python -m ops.github issue --title "Drift in iris" --file drift.md --label drift
    python -m ops.github dispatch --workflow ml-pipeline.yml --ref main --input dataset=iris

What is there already is updated.

Reads   GITHUB_TOKEN, GITHUB_REPOSITORY and, for another server, GITHUB_API_URL from the
        environment; the file
Writes  to GitHub alone. Needs Python's own library only, so that a job that may write needs to
        install nothing
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.project.errors import DataError, PipelineError, UsageError

# the first line of the comment, by which it is recognised
MARK = "<!-- pipeline report -->"
# characters that a comment or an issue may have
LIMIT = 65_536
PAGE = 100
MOST_PAGES = 1000
TIMEOUT = 30


def request(method: str, path: str, content: dict[str, Any] | None) -> urllib.request.Request:
    """Return a request on this repository; raise UsageError where the environment lacks a name."""
    token, repository = os.environ.get("GITHUB_TOKEN"), os.environ.get("GITHUB_REPOSITORY")
    if not token or not repository:
        raise UsageError(
            "GITHUB_TOKEN and GITHUB_REPOSITORY (owner/name) have to be set in the environment"
        )
    return urllib.request.Request(
        f"{server()}/repos/{repository}/{path}",
        method=method,
        data=None if content is None else json.dumps(content).encode(),
        headers={
            "Authorization": f"Bearer {token}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        },
    )


def server() -> str:
    return os.environ.get("GITHUB_API_URL", "https://api.github.com")


def api(method: str, path: str, content: dict[str, Any] | None = None) -> Any:
    """Return GitHub's JSON answer to a request on this repository, None where it is empty.

    Raises PipelineError where GitHub refuses, or cannot be reached.
    """
    try:
        with urllib.request.urlopen(request(method, path, content), timeout=TIMEOUT) as answer:
            return json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        raise PipelineError(
            f"GitHub answers {error.code} to {method} {path.partition('?')[0]}: {reason(error)}; "
            f"look at the permissions of the token"
        ) from None
    except OSError as error:
        raise PipelineError(
            f"GitHub cannot be reached at {server()}: {getattr(error, 'reason', error)}"
        ) from None


def reason(error: urllib.error.HTTPError) -> str:
    """Return GitHub's own words for a refusal, else those of HTTP."""
    try:
        return str(json.loads(error.read()).get("message"))
    except ValueError:
        return str(error.reason)


def pages(path: str) -> Iterator[dict[str, Any]]:
    """Yield all entries of a list that GitHub gives in pages."""
    joint = "&" if "?" in path else "?"
    for number in range(1, MOST_PAGES):
        entries = api("GET", f"{path}{joint}per_page={PAGE}&page={number}")
        yield from entries
        if len(entries) < PAGE:
            return


def text_of(file: str) -> str:
    """Return a file's text, no longer than GitHub accepts; raise DataError where it is missing."""
    try:
        return Path(file).read_text(encoding="utf-8", errors="replace")[:LIMIT]
    except FileNotFoundError:
        raise DataError(f"{file} is not there; write it first") from None


def comment(head: str, text: str) -> str:
    """Put a report on a branch's open pull request, in place of the last one; return what was done.

    The branch comes from GitHub's own event, never from the report, which may be a stranger's.
    """
    if not text.startswith(MARK):
        text = f"{MARK}\n{text}"[:LIMIT]
    pull_requests = api("GET", f"pulls?state=open&head={urllib.parse.quote(head)}")
    if not pull_requests:
        return f"no open pull request of {head}"
    number = pull_requests[0]["number"]
    for old in pages(f"issues/{number}/comments"):
        if old["user"]["type"] == "Bot" and old["body"].startswith(MARK):
            api("PATCH", f"issues/comments/{old['id']}", {"body": text})
            return f"comment on #{number} updated"
    api("POST", f"issues/{number}/comments", {"body": text})
    return f"comment on #{number} written"


def issue(title: str, text: str, label: str) -> str:
    """Open an issue, or update the open one of that title and label; return what was done."""
    for old in pages(f"issues?state=open&labels={urllib.parse.quote(label)}"):
        if old["title"] == title and "pull_request" not in old:
            api("PATCH", f"issues/{old['number']}", {"body": text})
            return f"issue #{old['number']} updated"
    opened = api("POST", "issues", {"title": title, "body": text, "labels": [label]})
    return f"issue #{opened['number']} opened"


def dispatch(workflow: str, ref: str, inputs: dict[str, str]) -> str:
    """Start a workflow as a person does by hand; return what was done."""
    path = f"actions/workflows/{urllib.parse.quote(workflow)}/dispatches"
    api("POST", path, {"ref": ref, "inputs": inputs})
    return f"{workflow} started on {ref}"


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(dest="action", required=True)
    one = actions.add_parser("comment", help="on the pull request of a branch", allow_abbrev=False)
    one.add_argument("--head", required=True, metavar="OWNER:BRANCH")
    one.add_argument("--file", required=True)
    one = actions.add_parser("issue", help="open or update", allow_abbrev=False)
    one.add_argument("--title", required=True)
    one.add_argument("--file", required=True)
    one.add_argument("--label", default="drift")
    one = actions.add_parser("dispatch", help="start a workflow", allow_abbrev=False)
    one.add_argument("--workflow", required=True)
    one.add_argument("--ref", default="main")
    one.add_argument("--input", action="append", default=[], metavar="NAME=VALUE")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse(argv)
    if args.action == "comment":
        done = comment(args.head, text_of(args.file))
    elif args.action == "issue":
        done = issue(args.title, text_of(args.file), args.label)
    else:
        inputs = {}
        for pair in args.input:
            name, _, value = pair.partition("=")
            inputs[name] = value
        done = dispatch(args.workflow, args.ref, inputs)
    print(f"github: {done}")


def run() -> None:
    """Run main, an error in one line; pipeline.command would do, but it needs packages."""
    try:
        main()
    except PipelineError as error:
        print(f"github.py: error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(error.status)


if __name__ == "__main__":
    run()
