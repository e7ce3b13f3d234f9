"""Change settings in params.yaml, its comments kept.

    python -m ops.set_params datasets.iris.train.cv_folds=10 seed=7

Reads   params.yaml
Writes  params.yaml; a setting that the pipeline would refuse changes nothing
"""

import io

from pipeline import command
from pipeline.project import files, params, paths
from pipeline.project.errors import UsageError


def changed(text: str, settings: dict[str, str]) -> str:
    """Return the text of params.yaml with some settings changed; each value is read as YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    yaml = YAML()
    yaml.width, yaml.preserve_quotes = 130, True
    content = yaml.load(text)
    for key, value in settings.items():
        *blocks, name = key.split(".")
        block = content
        for part in blocks:
            block = block.get(part) if isinstance(block, dict) else None
        if not isinstance(block, dict):
            raise UsageError(
                f"{paths.PARAMS}: {key}: there is no block {'.'.join(blocks)!r} to hold it"
            )
        try:
            block[name] = YAML(typ="safe", pure=True).load(value)
        except YAMLError:
            raise UsageError(f"{key}={value}: the value is no YAML") from None
    stream = io.StringIO()
    yaml.dump(content, stream)
    return stream.getvalue()


def main(argv=None):
    parser = command.parser(__doc__)
    parser.add_argument(
        "settings",
        nargs="*",
        metavar="KEY=VALUE",
        help="the full name of a setting and its new value",
    )
    args = parser.parse_args(argv)
    wrong = [setting for setting in args.settings if "=" not in setting]
    if wrong:
        raise UsageError(f"{wrong[0]!r}: give KEY=VALUE")
    command.settings()
    before = paths.PARAMS.read_text(encoding="utf-8")
    after = changed(before, dict(setting.partition("=")[::2] for setting in args.settings))
    command.checked(params.parse(after))
    if after != before:
        files.write_text(paths.PARAMS, after)
    for setting in args.settings:
        print(f"{paths.PARAMS}: {setting}")


if __name__ == "__main__":
    command.run(main)
