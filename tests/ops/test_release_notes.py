"""ops.release_notes: one version's section of the changelog."""

import pytest

from ops import release_notes
from pipeline.project.errors import DataError


def test_release_takes_the_section_of_its_version():
    text = (
        "# Changelog\n\n## Unreleased\n\n- c\n\n## 1.2.0 (2026-01-31)\n\n- b\n\n## v1.1.0\n\n- a\n"
    )
    assert release_notes.section(text, "v1.2.0") == "- b\n"
    assert release_notes.section(text, "1.1.0") == "- a\n"
    with pytest.raises(DataError, match="nothing on v9.9.9"):
        release_notes.section(text, "v9.9.9")
