"""The container of the server, without an engine: its files hold what serve.py needs."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from support.processes import ROOT

DOCKERFILE = (ROOT / "deploy/serve.Dockerfile").read_text()
COMPOSE = YAML(typ="safe").load((ROOT / "deploy/serve.yml").read_text())
MODULES = {"imbalanced-learn": "imblearn"}


def instructions() -> list[tuple[str, str]]:
    """Return the Dockerfile's instructions with their arguments, comments and line ends removed."""
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.M))
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line]


def test_copied_files_are_there_and_not_ignored():
    kept = [
        line[1:]
        for line in (ROOT / "deploy/serve.Dockerfile.dockerignore").read_text().splitlines()
        if line[:1] == "!"
    ]
    copied = [
        source
        for name, arguments in instructions()
        if name == "COPY"
        for source in arguments.split()[:-1]
    ]
    assert sorted(copied) == sorted(kept) and all((ROOT / source).exists() for source in copied)


def test_base_is_tagged_and_the_server_is_not_root():
    first, *others = instructions()
    assert first[0] == "FROM" and re.fullmatch(r"python:3\.\d+-slim", first[1])
    names = [name for name, _ in others]
    assert ("USER", "serve") in others and names.index("USER") < names.index("ENTRYPOINT")


def test_what_is_left_out_of_the_image_is_not_imported_by_the_server(served_copy):
    left_out = re.search(r"grep -vE '\^\(([^)]+)\)==' requirements.txt", DOCKERFILE)[1].split("|")
    pinned = {line.split("==")[0] for line in (ROOT / "requirements.txt").read_text().splitlines()}
    assert set(left_out) <= pinned
    program = """
import json, os, sys
import predict, serve
os.environ["SERVE_DATASET"] = "tiny"
serve.app()
predict.main(["--dataset", "tiny", "--input", "tiny.csv", "--output", "out.csv"])
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    assert not {MODULES.get(name, name) for name in left_out} & set(
        json.loads(done.stderr.splitlines()[-1])
    )


@pytest.mark.slow
def test_mlflow_writes_a_dockerfile_of_its_own_for_a_version(served_copy):
    mlflow = Path(sys.executable).parent / "mlflow"
    done = subprocess.run(
        [
            mlflow,
            "models",
            "generate-dockerfile",
            "-m",
            "models:/TinyPredictor@production",
            "--env-manager",
            "local",
            "-d",
            "image",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{served_copy}/mlflow.db"},
    )
    assert done.returncode == 0 and "FROM python" in Path("image/Dockerfile").read_text(), (
        done.stderr
    )


def test_compose_file_follows_the_specification():
    done = subprocess.run(
        [
            Path(sys.executable).parent / "check-jsonschema",
            "--builtin-schema",
            "vendor.compose-spec",
            ROOT / "deploy/serve.yml",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_container_is_reached_from_this_machine_with_a_token_only():
    service = COMPOSE["services"]["serve"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["environment"]["SERVE_TOKEN"].startswith("${SERVE_TOKEN:?")
    assert (ROOT / "deploy" / service["build"]["context"]).resolve() == ROOT
    assert (ROOT / service["build"]["dockerfile"]).is_file()
