"""A web page of another site, in a real browser, against the server of this machine."""

import contextlib
import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipeline.project import paths
from support.served import ROW, app_of, asking

# each way in which a page may try to ask, and what it could read of the answer
PAGE = """<!doctype html><title>asking</title><script>
const server = "SERVER", body = JSON.stringify(ROW);
const tries = [
  ["simple post", {method: "POST", mode: "no-cors", body}],
  ["form post", {method: "POST", mode: "no-cors", body: new URLSearchParams({body})}],
  ["json post", {method: "POST", headers: {"Content-Type": "application/json"}, body}],
  ["read", {}],
];
(async () => {
  const told = {};
  for (const [name, options] of tries) {
    const path = options.method ? "/predict" : "/model-info";
    try { told[name] = await (await fetch(server + path, options)).text(); }
    catch (error) { told[name] = "refused"; }
  }
  window.told = told;
})();
</script>"""


@contextlib.contextmanager
def site(folder: Path):
    """Serve a folder as another site; yield its address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def test_page_of_another_site_can_neither_read_nor_fill_the_log(served_copy, tmp_path, browser):
    folder = tmp_path / "site"
    folder.mkdir()
    with asking(app_of("tiny")) as client, site(folder) as address:
        page = PAGE.replace("SERVER", str(client.base_url)).replace("ROW", json.dumps(ROW))
        (folder / "page.html").write_text(page, encoding="utf-8")
        browser.open(f"{address}/page.html", settled="window.told")
        told = browser.driver.execute_script("return window.told")
        metrics = client.get("/metrics").text
    # an opaque answer, to a request that browsers send without asking, reads as empty
    assert told == {"simple post": "", "form post": "", "json post": "refused", "read": "refused"}
    assert 'path="/predict",status="200"' not in metrics
    # two posts, and the question of the browser whether it may send the third
    assert 'serve_requests_total{path="/predict",status="403"} 3.0' in metrics
    assert not paths.inference_log("tiny").exists()
