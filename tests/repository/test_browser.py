"""The browser of the tests reports a page's errors, and reaches nothing but loopback."""


def test_console_errors_and_what_cannot_be_loaded_are_told(browser, tmp_path):
    page = tmp_path / "page.html"
    page.write_text(
        "<p>hello<script>"
        "setTimeout(() => { document.settled = 1; throw new Error('ouch') }, 200)"
        "</script>"
    )
    assert ["ouch" in error for error in browser.open(page, "document.settled")] == [True]
    page.write_text("<img src='https://example.org/image.png'>")
    assert ["ERR_NAME_NOT_RESOLVED" in error for error in browser.open(page)] == [True]
    page.write_text("<p>nothing to complain of")
    assert browser.open(page) == []
