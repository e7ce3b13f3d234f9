"""A download is bounded, and a public address cannot make this machine read a private one."""

import pytest

from pipeline.project import downloads
from pipeline.project.errors import DataError


def test_a_public_address_may_not_redirect_to_a_private_one(server, tmp_path, monkeypatch):
    moved = f"{server.url}/moved.csv"
    downloads.fetch(moved, tmp_path / "private.csv")  # the user named this network
    monkeypatch.setattr(downloads, "is_private", lambda url: url.endswith("/table.csv"))
    monkeypatch.setattr(downloads, "check_peer", lambda connection: None)
    server.asked.clear()
    with pytest.raises(DataError, match="moved.csv: redirects to .*/table.csv, a private address"):
        downloads.fetch(moved, tmp_path / "public.csv")
    assert server.asked == ["/moved.csv"] and not (tmp_path / "public.csv").exists()


def test_a_name_that_is_public_when_asked_and_private_when_connected_to_gets_no_request(
    server, tmp_path, monkeypatch
):
    """As the owner of a name can have it by DNS rebinding."""
    monkeypatch.setattr(downloads, "is_private", lambda url: False)
    with pytest.raises(DataError, match="127.0.0.1: leads to 127.0.0.1, a private address, though"):
        downloads.fetch(f"{server.url}/table.csv", tmp_path / "x.csv")
    assert server.asked == [] and not (tmp_path / "x.csv").exists()


def test_a_proxy_may_be_private(server, tmp_path, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    downloads.fetch("http://8.8.8.8/table.csv", tmp_path / "x.csv")
    assert server.asked == ["http://8.8.8.8/table.csv"]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "10.1.2.3", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"]
)
def test_private_addresses_are_known(host):
    assert downloads.is_private(f"http://{host}:80/x.csv")


def test_public_addresses_are_not_private():
    assert not downloads.is_private("https://8.8.8.8/x.csv")
    assert not downloads.is_private("https://[2001:4860:4860::8888]/x.csv")


@pytest.mark.parametrize(
    "limit, message", [("MOST_BYTES", "larger than 5 bytes"), ("LONGEST", "not fetched within")]
)
@pytest.mark.parametrize("path", ["table.csv", "broken_chunks.csv"])
def test_a_download_is_bounded_also_where_it_does_not_say_its_size(
    server, tmp_path, monkeypatch, limit, message, path
):
    monkeypatch.setattr(downloads, limit, 5 if limit == "MOST_BYTES" else -1)
    monkeypatch.setattr(downloads, "PART", 10)
    with pytest.raises(DataError, match=message):
        downloads.fetch(f"{server.url}/{path}", tmp_path / "x.csv")
    assert not (tmp_path / "x.csv").exists()
