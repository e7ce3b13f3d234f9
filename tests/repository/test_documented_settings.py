"""Every setting of params.yaml is documented on its page, with its default in the tables."""

import pytest

from pipeline.project.settings.data import Data, Prepare
from pipeline.project.settings.drift import Drift
from pipeline.project.settings.judging import Register, Slices
from pipeline.project.settings.serve import Serve
from pipeline.project.settings.train import Features, Train
from pipeline.project.settings.tune import Tune
from support.documents import has_row, names_setting, page

# documented by its own keys
BLOCKS = {"features"}
WITH_DEFAULTS = {
    "docs/drift.md": Drift,
    "docs/registry.md": Register,
    "docs/report.md": Slices,
    "docs/serving.md": Serve,
    "docs/tuning.md": Tune,
}


@pytest.mark.parametrize(
    "block", [Data, Prepare, Train, Features], ids=lambda block: block.__name__
)
def test_setting_of_a_dataset_is_documented(block):
    text = page("docs/your-data.md")
    for key in block.model_fields:
        assert key in BLOCKS or names_setting(text, key), key


@pytest.mark.parametrize("name", WITH_DEFAULTS)
def test_setting_is_documented_with_its_default(name):
    for key, field in WITH_DEFAULTS[name].model_fields.items():
        if not field.is_required():
            assert has_row(page(name), f"`{key}`", shown(field.default)), key


def shown(default) -> str:
    """Return a default as a page writes it."""
    if isinstance(default, (list, tuple)):
        return f"[{', '.join(default)}]"
    return str(default)


def test_letters_of_a_setting_elsewhere_on_a_page_do_not_document_it():
    assert names_setting("`data.drop` is", "drop") and names_setting("`split: random`", "split")
    for text in ("to drop a column", "`dropped`", "`data/drop.csv`", "```yaml\ndrop: [a]\n```"):
        assert not names_setting(text, "drop"), text
