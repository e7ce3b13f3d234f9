"""Text files are read in the encoding that their bytes show, and by the separator of their name."""

import codecs

import pytest

from pipeline.data import reading
from pipeline.data.formats.form import Format
from pipeline.project.errors import DataError

TABLE = "size,town\n50,Café\n60,Bford\n"


@pytest.mark.parametrize("said", ["utf-8", "latin-1"])
@pytest.mark.parametrize(
    "content",
    [
        TABLE.encode("utf-8-sig"),
        TABLE.encode("utf-16"),
        codecs.BOM_UTF16_BE + TABLE.encode("utf-16-be"),
        TABLE.encode("utf-16-le"),
        TABLE.encode("utf-16-be"),
        TABLE.encode("utf-32"),
    ],
    ids=["utf-8 mark", "utf-16", "utf-16-be mark", "utf-16-le", "utf-16-be", "utf-32"],
)
def test_encodings_that_their_bytes_show_are_found(tmp_path, content, said):
    path = tmp_path / "mine.csv"
    path.write_bytes(content)
    frame = reading.read(path, Format(encoding=said))
    assert frame.to_dict("list") == {"size": [50, 60], "town": ["Café", "Bford"]}
    (part,) = reading.parts(path, 10, Format(encoding=said))
    assert part.column("town").to_pylist() == ["Café", "Bford"]


@pytest.mark.parametrize("name", ["mine.tsv", "mine.TAB"])
def test_the_name_says_that_tabs_separate_values_unless_params_do(tmp_path, name):
    path = tmp_path / name
    path.write_text(TABLE.replace(",", "\t"))
    assert list(reading.read(path)) == ["size", "town"]
    path.write_text(TABLE.replace(",", ";"))
    assert list(reading.read(path, Format(separator=";"))) == ["size", "town"]


def test_web_page_under_the_name_of_a_workbook_is_refused(tmp_path):
    path = tmp_path / "export.xls"
    path.write_text("\n<HTML><body><table><tr><td>a</td></tr></table></body></HTML>")
    with pytest.raises(DataError, match="export.xls: an HTML page, not a table; save .* as CSV"):
        reading.read(path)
