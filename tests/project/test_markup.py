"""Text of any origin stays text in scripts, in Markdown and in other programs' pages."""

import json

import pytest
from markdown_it import MarkdownIt

from pipeline.project import markup
from support.hostile_texts import TEXTS


@pytest.mark.parametrize("text", [*TEXTS, "half a character \ud800"])
def test_data_of_a_script_element_hold_no_tag_and_read_the_same(text):
    data = markup.script_data({text: [text]})
    assert json.loads(data) == {text: [text]}
    assert data.isascii() and not set("<>&") & set(data)


def test_numbers_that_json_does_not_have_are_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        markup.script_data(float("nan"))


def test_policy_names_each_script_by_its_hash():
    # the example of https://www.w3.org/TR/CSP3/#external-hash is of the same kind
    policy = markup.security_policy("alert('Hello, world.');")
    assert "script-src 'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='" in policy
    assert markup.security_policy().endswith("script-src 'none'")
    assert markup.security_policy(beside=True).endswith("script-src 'self'")


@pytest.mark.parametrize("text", TEXTS)
def test_markdown_shows_text_as_it_is(text):
    html = (
        MarkdownIt("commonmark")
        .enable(["table", "strikethrough"])
        .render(f"| a |\n| --- |\n| {markup.markdown(text)} |")
    )
    tags = html.replace("<", " <").split("<")[1:]
    names = {tag.split(">")[0].strip("/ ") for tag in tags}
    assert names == {"table", "thead", "tr", "th", "tbody", "td"}
    shown = html.partition("<td>")[2].partition("</td>")[0].replace(markup.NO_WIDTH, "")
    unescaped = shown.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    assert unescaped.replace("&amp;", "&") == " ".join(text.split())


@pytest.mark.parametrize("text", ["total_charges", "<=50K", "1.5 to 2 kWh", "a-b"])
def test_markdown_of_usual_names_reads_well(text):
    assert markup.markdown(text) in (text, text.replace("<", "\\<"))


@pytest.mark.parametrize("text", ["@team", "#12", "https://example.org", "www.example.org"])
def test_github_makes_no_link_of_a_name(text):
    assert text not in markup.markdown(text)


def test_only_what_could_begin_a_tag_is_replaced_for_other_pages():
    assert markup.without_tags("<=50K, 3 < 4") == "<=50K, 3 < 4"
    assert markup.without_tags("</script><!--<b>") == "‹/script>‹!--‹b>"
    assert markup.without_tags(1.5) == 1.5
