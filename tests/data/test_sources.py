"""Sources that are not synthetic: files as they are, a real HTTP server on this machine, and
addresses that nobody answers.
"""

import base64

import pandas as pd
import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from ops.proposal.block import block
from ops.proposal.wish import Wish
from pipeline.data import sources
from pipeline.data.formats.form import PLAIN, Format
from pipeline.data.sources import Wanted
from pipeline.data.written import write_csv
from pipeline.project.errors import DataError, UsageError
from pipeline.project.params import Params
from pipeline.project.settings.data import Data
from support.table_server import TABLE


def house() -> Data:
    return Data(
        source="x", depends_on="x", file="data/house.csv", task="regression", target="price"
    )


def write(dataset: str, source: str, form: Format = PLAIN) -> pd.DataFrame:
    return write_csv(Wanted(dataset, source, form=form), "data/house.csv").frame


def left(folder) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_csv_file_is_copied_byte_for_byte(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = b'\xef\xbb\xbfsize, price\r\n050,1.10\r\n"60", NA\r\n'
    (tmp_path / "mine.csv").write_bytes(content)
    frame = write("house", "mine.csv")
    assert (tmp_path / "data/house.csv").read_bytes() == content and frame.shape == (2, 2)


def test_other_formats_are_written_as_comma_separated_utf8(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_bytes("town;price\nCaf\xe9;1,5\nB;2\n".encode("latin-1"))
    write("house", "mine.csv", Format(";", "latin-1"))
    assert (tmp_path / "data/house.csv").read_text(
        encoding="utf-8"
    ) == 'town,price\nCafé,"1,5"\nB,2\n'
    pd.DataFrame({"town": ["Café", None], "price": [1.5, 2]}).to_parquet("mine.parquet")
    write("house", "mine.parquet")
    assert (tmp_path / "data/house.csv").read_text(
        encoding="utf-8"
    ) == "town,price\nCafé,1.5\n,2.0\n"


def test_url_is_fetched_once_and_another_url_is_another_file(server, tmp_path):
    for _ in range(2):
        write("house", f"{server.url}/table.csv?day=1")
    assert server.asked == ["/table.csv?day=1"]
    assert (tmp_path / "data/house.csv").read_bytes() == TABLE
    write("house", f"{server.url}/moved.csv")
    assert server.asked[1:] == ["/moved.csv", "/table.csv"]
    assert len(left(tmp_path / "data/raw")) == 2


def test_block_for_a_url_names_the_fetched_file_and_says_whence(server, tmp_path):
    train = {"primary_metric": "rmse", "models": ["dummy"]}
    other = {
        "experiment": "X",
        "data": house(),
        "prepare": {},
        "train": train,
        "tune": {"models": ["ridge"]},
        "drift": {},
        "gates": {},
        "register": {"name": "X"},
    }
    settings = Params(
        seed=1,
        datasets={"other": other},
        models={},
        search_spaces={"ridge": {"alpha": {"low": 1, "high": 2}}},
    )
    text = block(Wish("house", f"{server.url}/houses.csv", "price"), settings)
    fetched = f"data/raw/{left(tmp_path)[0]}"
    assert text.startswith(f"  # fetched from {server.url}/houses.csv\n")
    data = YAML(typ="safe").load(text)["house"]["data"]
    assert (data["source"], data["depends_on"]) == (fetched, fetched)


def test_parquet_url_is_read_as_parquet(server, tmp_path):
    assert write("house", f"{server.url}/table.parquet?x=a.csv").shape == (
        2,
        2,
    )
    assert (tmp_path / "data/house.csv").read_text() == "size,price\n50,100.0\n60,\n"


@pytest.mark.parametrize(
    "path, message",
    [
        ("gone.csv", r"cannot be fetched \(HTTP Error 404: .*\); check the address"),
        ("half.csv", "the answer broke off, 1000 bytes are missing; run again"),
        ("broken_chunks.csv", r"cannot be fetched \(IncompleteRead"),
        ("page", "gives a web page, not a file"),
    ],
)
def test_answer_that_is_no_whole_file_leaves_nothing(server, tmp_path, path, message):
    with pytest.raises(DataError, match=message):
        write("house", f"{server.url}/{path}")
    assert left(tmp_path) == []


def test_refused_connection_and_impossible_address_are_errors_of_one_line(server, tmp_path):
    server.shutdown()
    server.server_close()
    for url in (f"{server.url}/table.csv", "http://127.0.0.1:99999/x.csv", "http:///x.csv"):
        with pytest.raises(
            DataError,
            match=rf"^{url}: cannot be fetched \([^\n]+\); check the address, or save the file",
        ):
            write("house", url)
    assert left(tmp_path) == []


def test_a_source_that_is_not_there_names_what_a_source_may_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for source in ("syntetic", "data", "data/raw/none.csv"):
        with pytest.raises(
            DataError,
            match=(
                f"{source}: no such file; "
                "a source is synthetic, sklearn, openml:NAME, a URL or the path of"
            ),
        ):
            write("house", source)


@pytest.mark.parametrize(
    "source, error, message",
    [
        (
            "sklearn",
            UsageError,
            "scikit-learn holds no table for 'house', only for: california_housing, iris",
        ),
        ("openml:", UsageError, "'openml:' names no table of OpenML; write openml:NAME"),
        ("openml:credit@new", UsageError, "'openml:credit@new' names no table of OpenML"),
        (
            "openml:no_such_table",
            DataError,
            "openml:no_such_table: cannot be fetched from OpenML .* check the name",
        ),
    ],
)
def test_wrong_name_at_sklearn_or_openml_is_an_error_of_one_line(
    tmp_path, monkeypatch, source, error, message
):
    closed(monkeypatch, tmp_path)
    with pytest.raises(error, match=message):
        write("house", source)
    assert left(tmp_path) == []


def test_california_housing_offline_is_an_error_of_one_line(tmp_path, monkeypatch, recwarn):
    closed(monkeypatch, tmp_path)
    with pytest.raises(
        DataError,
        match="sklearn: the California housing table cannot be fetched .* try again online",
    ):
        write("california_housing", "sklearn")
    assert not recwarn.list


def closed(monkeypatch, folder) -> None:
    """Send every request to a port where nobody answers, and look for no earlier download."""
    monkeypatch.chdir(folder)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(folder))


def test_iris_of_sklearn_is_the_real_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("iris", "sklearn")
    first, *rest = (tmp_path / "data/house.csv").read_text().splitlines()
    assert len(rest) == 150 and rest[0] == "5.1,3.5,1.4,0.2,setosa"


def with_login(server, path: str) -> str:
    return f"{server.url}/{path}?token=T0P".replace("//", "//ann:s3cret@", 1)


def test_user_and_password_of_a_url_reach_its_server_and_no_other(server, tmp_path):
    assert write("house", with_login(server, "table.csv")).shape == (2, 2)
    assert write("house", with_login(server, "moved.csv")).shape == (2, 2)
    login = "Basic " + base64.b64encode(b"ann:s3cret").decode()
    assert server.asked == ["/table.csv?token=T0P", "/moved.csv?token=T0P", "/table.csv"]
    assert server.logins == [login, login, None]


@pytest.mark.parametrize("path", ["gone.csv", "half.csv", "page", "a b.csv"])
def test_no_message_shows_the_secrets_of_a_url(server, tmp_path, path):
    with pytest.raises(DataError) as error:
        write("house", with_login(server, path))
    assert str(error.value).startswith(f"{server.url}/{path}: ")
    assert "s3cret" not in str(error.value) and "T0P" not in str(error.value)


def test_source_is_shown_without_secrets():
    shown = {text: sources.shown(text) for text in ("https://u:p@h.org/a.csv?k=v#f", "a?b.csv")}
    assert list(shown.values()) == ["https://h.org/a.csv", "a?b.csv"]


def test_password_in_params_is_refused_and_not_shown():
    plain = house().model_dump() | {"source": "https://ann:s3cret@h.org/a.csv"}
    with pytest.raises(ValidationError) as error:
        Data(**plain)
    assert "names a user or a password" in error.value.errors()[0]["msg"]


@pytest.mark.parametrize(
    "text, spelling",
    [
        ("synthetic", "synthetic"),
        ("sklearn", "sklearn"),
        ("openml:credit@2", "openml:NAME"),
        ("http://h.org/a.csv", "a URL"),
        ("sklearn.csv", "the path of a file"),
    ],
)
def test_source_is_known_by_its_spelling(text, spelling):
    assert sources.source_of(text).spelling == spelling and spelling in sources.spellings()
