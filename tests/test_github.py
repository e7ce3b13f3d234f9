"""ops.github speaks to a real HTTP server on loopback that keeps pull requests, comments and issues as GitHub does."""

import http.server
import json
import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from conftest import script

from ops import github


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Answers)
        self.comments, self.issues, self.dispatched, self.refused = {}, {}, [], None


class Answers(http.server.BaseHTTPRequestHandler):
    """The few addresses of GitHub's interface that are used, with their pages."""

    def handle_one(self, method):
        server, address = self.server, urlsplit(self.path)
        path, query = address.path.removeprefix("/repos/o/r/"), parse_qs(address.query)
        length = int(self.headers.get("Content-Length") or 0)
        content = json.loads(self.rfile.read(length)) if length else None
        if self.headers["Authorization"] != "Bearer a-token" or server.refused:
            return self.answer(403, {"message": "Resource not accessible by integration"})
        page, size = (int(query.get(key, [default])[0]) for key, default in (("page", 1), ("per_page", 30)))
        if path == "pulls":
            return self.answer(200, [{"number": 7}] if query["head"] == ["someone:fix"] else [])
        if path == "issues/7/comments" and method == "GET":
            return self.answer(200, list(server.comments.values())[(page - 1) * size:page * size])
        if path == "issues/7/comments":
            number = len(server.comments)
            server.comments[number] = {"id": number, "body": content["body"], "user": {"type": "Bot"}}
            return self.answer(201, server.comments[number])
        if found := re.fullmatch(r"issues/comments/(\d+)", path):
            server.comments[int(found[1])] |= content
            return self.answer(200, server.comments[int(found[1])])
        if path == "issues" and method == "GET":
            return self.answer(200, [one for one in server.issues.values() if query["labels"][0] in one["labels"]])
        if path == "issues":
            server.issues[len(server.issues) + 1] = {"number": len(server.issues) + 1, **content}
            return self.answer(201, server.issues[len(server.issues)])
        if found := re.fullmatch(r"issues/(\d+)", path):
            server.issues[int(found[1])] |= content
            return self.answer(200, {})
        if path == "actions/workflows/ml-pipeline.yml/dispatches":
            server.dispatched.append(content)
            return self.answer(204, None)
        return self.answer(404, {"message": "Not Found"})

    def answer(self, status, content):
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.handle_one("GET")

    def do_POST(self):
        self.handle_one("POST")

    def do_PATCH(self):
        self.handle_one("PATCH")

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    running = Server()
    threading.Thread(target=running.serve_forever, args=(0.05,), daemon=True).start()
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{running.server_address[1]}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    monkeypatch.setenv("GITHUB_TOKEN", "a-token")
    yield running
    running.shutdown()
    running.server_close()


def test_report_is_one_comment_that_is_updated_in_place_among_many_others(server, tmp_path):
    server.comments |= {number: {"id": number, "body": "hello", "user": {"type": "User"}} for number in range(120)}
    server.comments[3]["body"] = github.MARK + " said a person"
    (tmp_path / "report.md").write_text(f"{github.MARK}\nfirst")
    arguments = "comment", "--head", "someone:fix", "--file", str(tmp_path / "report.md")
    assert script("ops.github", *arguments).stdout == "github: comment on #7 written\n"
    (tmp_path / "report.md").write_text(f"{github.MARK}\nsecond")
    assert script("ops.github", *arguments).stdout == "github: comment on #7 updated\n"
    assert len(server.comments) == 121 and server.comments[120]["body"].endswith("second")
    assert server.comments[3]["body"].endswith("a person")


def test_branch_without_a_pull_request_is_no_error(server, tmp_path):
    (tmp_path / "report.md").write_text("x")
    done = script("ops.github", "comment", "--head", "someone:else", "--file", str(tmp_path / "report.md"))
    assert done.returncode == 0 and "no open pull request of someone:else" in done.stdout and not server.comments


def test_text_from_a_stranger_is_cut_and_marked(server):
    github.comment("someone:fix", "x" * 100_000)
    assert len(server.comments[0]["body"]) == github.LIMIT and server.comments[0]["body"].startswith(github.MARK)


def test_drift_has_one_issue(server):
    assert github.issue("Drift in iris", "first", "drift") == "issue #1 opened"
    assert github.issue("Drift in tiny", "other", "drift") == "issue #2 opened"
    assert github.issue("Drift in iris", "second", "drift") == "issue #1 updated"
    assert server.issues[1]["body"] == "second" and len(server.issues) == 2


def test_workflow_is_started_with_its_inputs(server):
    done = script("ops.github", "dispatch", "--workflow", "ml-pipeline.yml", "--input", "dataset=iris", "--input", "trials=5")
    assert done.returncode == 0 and server.dispatched == [{"ref": "main", "inputs": {"dataset": "iris", "trials": "5"}}]


def test_refusal_names_the_request_and_not_the_token(server, monkeypatch):
    server.refused = True
    done = script("ops.github", "dispatch", "--workflow", "ml-pipeline.yml")
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "a-token" not in done.stderr
    assert "403 to POST actions/workflows/ml-pipeline.yml/dispatches: Resource not accessible by integration" in done.stderr
    monkeypatch.delenv("GITHUB_TOKEN")
    assert script("ops.github", "dispatch", "--workflow", "ml-pipeline.yml").returncode == 2


def test_server_that_is_not_there_is_told(server, monkeypatch):
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    done = script("ops.github", "dispatch", "--workflow", "ml-pipeline.yml")
    assert done.returncode == 1 and "GitHub cannot be reached at http://127.0.0.1:1" in done.stderr
