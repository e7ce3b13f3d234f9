"""The environment: the version of Python, the packages, and the variables that matter."""

import importlib.metadata
import os
import re
import sys
from pathlib import Path

from packaging.requirements import Requirement

from ops.doctor_fault import Fault
from pipeline.project.errors import listed
from pipeline.tracking.store import TRACKING_URI

PYTHONS = (3, 11), (3, 13)  # the oldest and the newest that the project runs on
MOST_NAMES = 3


def python_version() -> list[Fault]:
    """Return a fault where this Python is older or newer than the project takes."""
    oldest, newest = PYTHONS
    if oldest <= sys.version_info[:2] <= newest:
        return []
    first, last = (".".join(map(str, version)) for version in PYTHONS)
    remedy = f"use {first} to {last}: remove .venv and run `make setup PYTHON=python{last}`"
    return [Fault(f"Python {sys.version.split()[0]}", remedy)]


def packages() -> list[Fault]:
    """Compare what is installed with what requirements.txt pins."""
    lines = Path("requirements.txt").read_text(encoding="utf-8").splitlines()
    texts = [line.split(" #")[0].strip() for line in lines]
    pins = [Requirement(text) for text in texts if re.match(r"[A-Za-z]", text)]
    others = [
        f"{pin.name} {installed_version(pin) or 'none'} in place of {pin.specifier}"
        for pin in pins
        if not is_satisfied(pin)
    ]
    if not others:
        return []
    problem = f"other packages than requirements.txt pins: {listed(others, MOST_NAMES)}"
    return [Fault(problem, "run `touch requirements.txt && make setup`")]


def installed_version(pin: Requirement) -> str | None:
    """Return the version of a package that is installed; None where it is not."""
    try:
        return importlib.metadata.version(pin.name)
    except importlib.metadata.PackageNotFoundError:
        return None


def is_satisfied(pin: Requirement) -> bool:
    """Return whether a pin holds here, or is for another system or Python."""
    if pin.marker and not pin.marker.evaluate():
        return True
    installed = installed_version(pin)
    return installed is not None and pin.specifier.contains(installed)


def variables() -> list[Fault]:
    """Look for environment variables that slow Python down or that MLflow refuses."""
    faults = []
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        remedy = "unset it: without its byte code Python starts much slower"
        faults.append(Fault("PYTHONDONTWRITEBYTECODE is set", remedy))
    if os.environ.get(TRACKING_URI, "").startswith("file:"):
        problem = f"{TRACKING_URI} names a folder, which MLflow takes no more"
        faults.append(Fault(problem, "unset it, or name a server"))
    return faults


def moved_environment() -> list[Fault]:
    """Return a fault where .venv was made in another folder, whose Python its programs name."""
    program = Path(".venv/bin/dvc")
    if not program.is_file():
        return []
    first_line = program.read_bytes().partition(b"\n")[0].decode(errors="replace")
    python = Path(first_line.removeprefix("#!"))
    is_here = python.parent.is_dir() and python.parent.samefile(program.parent)
    if is_here or not python.name.startswith("python"):
        return []
    problem = (
        f".venv was made in {python.parent.parent}: its programs start only with that folder in "
        f"place"
    )
    return [Fault(problem, "remove .venv and run `make setup`")]


def environment() -> list[Fault]:
    """Look at the variables and the virtual environment."""
    return [*variables(), *moved_environment()]
