"""Loading of the user's own code: a Python file of this checkout, and what is defined in it.

A file is known by its sha256, which stands for all that runs: it may import installed packages and
pipeline/, but no other file of the checkout. Its module is named after its sha256, so that two
versions of one file can run side by side and a stored object asks for the one that it was made by.
"""

import ast
import hashlib
import importlib.util
import re
import sys
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pipeline.project import paths
from pipeline.project.errors import UsageError, listed

# of a sha256, in the name of a module
DIGITS = 16
# modules are made by one thread at a time
_lock = threading.RLock()


@dataclass(frozen=True)
class OwnCode:
    """A file of the user's own code that was run; `path` is relative to the checkout."""

    path: str
    sha256: str
    module: ModuleType

    def get(self, name: str, where: str) -> Any:
        """Return what the file defines under a name; raises UsageError where it does not."""
        if name in vars(self.module):
            return vars(self.module)[name]
        there_are = [
            other
            for other, value in vars(self.module).items()
            if getattr(value, "__module__", None) == self.module.__name__
        ]
        there = f"it defines {listed(there_are)}" if there_are else "it defines nothing"
        raise UsageError(f"{key(where)}: {self.path} has no {name!r}; {there}")


@dataclass(frozen=True)
class OwnObject:
    """A function or class of the user's own code, and the file that it comes from."""

    value: Any
    name: str
    code: OwnCode


def function(path: str, name: str, where: str) -> OwnObject:
    """Return the function of a name that a file of the checkout defines.

    `where` is the key of params.yaml that names it, for messages. Raises UsageError where there is
    no such file or function, or the file cannot be run.
    """
    found = _object(path, name, where)
    if isinstance(found.value, type) or not callable(found.value):
        raise UsageError(f"{key(where)}: {name!r} of {path} is not a function; define `def {name}`")
    return found


def named(place: str, where: str) -> OwnObject:
    """Return what `path:name` means, such as metrics/churn.py:profit; raises as `function`."""
    path, _, name = place.partition(":")
    if not path or not name.isidentifier():
        raise UsageError(
            f"{key(where)}: {place!r} does not name a file and what it defines; write it as "
            f"folder/file.py:name"
        )
    return _object(path, name, where)


def _object(path: str, name: str, where: str) -> OwnObject:
    code = load(path, where)
    return OwnObject(code.get(name, where), name, code)


def load(path: str, where: str) -> OwnCode:
    """Return a file of the checkout, run; raises UsageError where it cannot be."""
    return run(content(path, where), path, where)


def content(path: str, where: str) -> bytes:
    """Return the bytes of a Python file of the checkout; raises UsageError where it is not one."""
    root, file = Path.cwd().resolve(), Path(path)
    if file.is_absolute() or not file.resolve().is_relative_to(root):
        raise UsageError(
            f"{key(where)}: {path} is outside of this project; move the file into it and name it "
            f"from the project's root"
        )
    if file.suffix != ".py" or not file.stem.isidentifier():
        raise UsageError(f"{key(where)}: {path} is not named like a Python file: folder/file.py")
    try:
        return file.read_bytes()
    except FileNotFoundError:
        raise UsageError(
            f"{key(where)}: {path} is not there; write it, or correct the path"
        ) from None
    except OSError as error:
        raise UsageError(f"{key(where)}: {path} cannot be read: {error.strerror}") from None


def run(source: bytes, path: str, where: str) -> OwnCode:
    """Return the code of a file whose bytes were read, run once in each process.

    Raises UsageError, with the line, where it has an error, imports what is not installed, or
    imports another file of the checkout.
    """
    sha256 = hashlib.sha256(source).hexdigest()
    name = module_name(path, sha256)
    with _lock:
        if name not in sys.modules:
            sys.modules[name] = _module(source, path, name, where)
        return OwnCode(Path(path).as_posix(), sha256, sys.modules[name])


def module_name(path: str, sha256: str) -> str:
    """Return the name of the module that a file becomes; it has no dots."""
    return f"own_{Path(path).stem}_{sha256[:DIGITS]}"


def readable(name: str) -> str:
    """Return the dotted name of a type without the sha256 in its module's name."""
    return re.sub(rf"\bown_(\w+)_[0-9a-f]{{{DIGITS}}}\.", r"\1.", name)


def _module(source: bytes, path: str, name: str, where: str) -> ModuleType:
    try:
        tree = ast.parse(source, filename=path)
    except (SyntaxError, ValueError) as error:
        line = f" line {error.lineno}" if isinstance(error, SyntaxError) else ""
        reason = getattr(error, "msg", error)
        raise UsageError(f"{key(where)}: {path}{line} is not Python: {reason}; fix it") from None
    _check_imports(tree, path, where)
    module = ModuleType(name)
    module.__file__ = path
    # a dataclass looks its own module up
    sys.modules[name] = module
    try:
        exec(compile(tree, path, "exec"), vars(module))
    except ModuleNotFoundError as error:
        del sys.modules[name]
        raise UsageError(
            f"{key(where)}: {at_line(error, path)} imports {error.name!r}, which is not installed; "
            f"add it to requirements.txt and run `make setup`, or import it no more"
        ) from error
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(f"{key(where)}: {fault(error, path)}; fix the file") from error
    return module


def _check_imports(tree: ast.AST, path: str, where: str) -> None:
    """Raise UsageError where a file imports another one, for which its sha256 would not stand."""
    for line, top in _imported(tree):
        if not top or _is_of_checkout(top):
            other = f"{top!r}" if top else "by a relative name"
            raise UsageError(
                f"{key(where)}: {path} line {line} imports {other}, a file of this project too; "
                f"a model records one file of your code, so put all of it into {path}"
            )


def _imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the outermost package of each import; "" for a relative one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "" if node.level else (node.module or "").partition(".")[0]


def _is_of_checkout(top: str) -> bool:
    """Say whether a package is code of this checkout but neither installed nor pipeline/."""
    if top == "pipeline" or top in sys.stdlib_module_names:
        return False
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return False
    if spec is None:
        return False
    places = list(spec.submodule_search_locations or []) or [spec.origin or ""]
    root, installed = Path.cwd().resolve(), Path(sys.prefix).resolve()
    for place in places:
        resolved = Path(place).resolve()
        if resolved.is_relative_to(root) and not resolved.is_relative_to(installed):
            return True
    return False


def fault(error: BaseException, path: str) -> str:
    """Return an error of the user's code in one line, with the line of the file it comes from."""
    message = " ".join(str(error).split())
    return f"{at_line(error, path)} raises {type(error).__name__}: {message}"


def at_line(error: BaseException, path: str) -> str:
    """Return the path, and the last of its lines that an error passed through."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == path
    ]
    return f"{path} line {lines[-1]}" if lines else path


def key(where: str) -> str:
    """Return the key of params.yaml as messages name it."""
    return f"{paths.PARAMS}: {where}"
