"""Change settings in params.yaml, its comments kept.

    python -m ops.set_params datasets.iris.train.cv_folds=10 seed=7

Reads   params.yaml
Writes  params.yaml; a setting that the pipeline would refuse changes nothing
"""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from pipeline import command
from pipeline.project import files, params, paths
from pipeline.project.errors import UsageError


def changed(text: str, settings: dict[str, str]) -> str:
    """Return the text of params.yaml with some settings changed; each value is read as YAML.

    The text is laid out as DVC's own writer does it, so that neither changes the other's lines.
    """
    yaml: Any = YAML()
    content = yaml.load(text)
    for key, value in settings.items():
        block, name = _block_and_name(content, key)
        try:
            block[name] = YAML(typ="safe", pure=True).load(value)
        except YAMLError:
            raise UsageError(f"{key}={value}: the value is not valid YAML") from None
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()


def _block_and_name(content: Any, key: str) -> tuple[dict[str, Any], str]:
    """Return the block that holds a setting, and the setting's own name; raise UsageError."""
    *blocks, name = key.split(".")
    block = content
    for part in blocks:
        block = block.get(part) if isinstance(block, dict) else None
    if not isinstance(block, dict):
        raise UsageError(
            f"{paths.PARAMS}: {key}: there is no block {'.'.join(blocks)!r} to hold it"
        )
    return block, name


def _key_and_value(setting: str) -> tuple[str, str]:
    """Return both sides of KEY=VALUE; raises UsageError."""
    key, sign, value = setting.partition("=")
    if not sign:
        raise UsageError(f"{setting!r}: give KEY=VALUE")
    return key, value


def main(argv: list[str] | None = None) -> None:
    parser = command.parser(__doc__)
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help="the full name of a setting and its new value",
    )
    args = parser.parse_args(argv)
    settings = dict(_key_and_value(setting) for setting in args.settings)
    command.settings()
    before = paths.PARAMS.read_text(encoding="utf-8")
    after = changed(before, settings)
    command.checked(params.parse(after))
    if after != before:
        files.write_text(paths.PARAMS, after)
    for setting in args.settings:
        print(f"{paths.PARAMS}: {setting}")


if __name__ == "__main__":
    command.run(main)
