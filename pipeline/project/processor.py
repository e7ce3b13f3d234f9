"""The processor: numpy and OpenBLAS choose their loops by it; here they take the same everywhere.

The last digit of a sum depends on the loop that made it, and with it the bytes of a model. Both
libraries read the environment once, when they are loaded:
https://numpy.org/doc/stable/reference/simd/build-options.html (NPY_ENABLE_CPU_FEATURES) and
https://github.com/OpenMathLib/OpenBLAS#dynamic-arch-builds (OPENBLAS_CORETYPE).
"""

import os
import platform
from pathlib import Path

X86_64 = ("x86_64", "AMD64")
CPUINFO = Path("/proc/cpuinfo")
# the level x86-64-v3, in Linux's words: what the loops below need, in processors since 2013 (Intel)
# and 2017 (AMD)
X86_64_V3 = frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe"})
SAME_LOOPS = {"OPENBLAS_CORETYPE": "Haswell", "NPY_ENABLE_CPU_FEATURES": "X86_V3"}
NOT_BESIDE_THEM = "NPY_DISABLE_CPU_FEATURES"  # numpy refuses to be loaded with both


def instructions(cpuinfo: Path = CPUINFO) -> set[str]:
    """Return the names of a processor's instruction sets; none where the system does not say."""
    if not cpuinfo.is_file():
        return set()
    with cpuinfo.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() == "flags":
                return set(value.split())
    return set()


def use_same_loops(cpuinfo: Path = CPUINFO) -> bool:
    """Have numpy and OpenBLAS use the loops of x86-64-v3; return False where that is not possible.

    It works on libraries that are not loaded yet, here and in the processes started from here.
    """
    if platform.machine() not in X86_64 or not instructions(cpuinfo) >= X86_64_V3:
        return False
    os.environ.update(SAME_LOOPS)
    os.environ.pop(NOT_BESIDE_THEM, None)
    return True
