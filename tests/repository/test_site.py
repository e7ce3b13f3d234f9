"""The documentation site builds without a broken link, and shows every page."""

import subprocess
import sys

from support.documents import PAGES
from support.processes import ROOT


def build(site, config="mkdocs.yml") -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--site-dir", str(site)]
    return subprocess.run(
        [*command, "--config-file", str(config)], cwd=ROOT, capture_output=True, text=True
    )


def test_site_builds_and_has_a_page_for_each_document(tmp_path):
    done = build(tmp_path)
    assert done.returncode == 0, done.stderr
    for path in PAGES:
        if path.is_relative_to(ROOT / "docs"):
            page = tmp_path / path.relative_to(ROOT / "docs").with_suffix(".html")
            assert page.is_file(), page
    home = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert "fonts.googleapis.com" not in home
