"""Texts that run as code, or pass for markup, wherever a page takes them for more than text."""

# what a page that ran one of them has
RAN = "data-ran"
RUN = f"document.documentElement.setAttribute('{RAN}', 1)"
TEXTS = (
    f"</script><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>",
    f'"><svg onload="{RUN}">',
    f"<b onmouseover={RUN}>bold</b>",
    f"'-{RUN}-'",
    "<!--<script>",
    "${alert(1)}{{ 7 * 7 }}%{x}",
    "line\u2028end\u2029 | `code` @everyone [link](javascript:alert(1)) "
    "![](https://example.org/x.png)",
)
