"""The kernels that are installed on this machine."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

from coderunner.kernel.packages.environments import environments, interpreter, is_environment
from coderunner.sandbox.program_folders import PYTHON

NATIVE = "python3"
"""The kernel that runs this very interpreter."""
PYTHONS = ("python", "python3", f"python3.{sys.version_info.minor}")
"""Names that mean our own interpreter in a kernel spec, as jupyter_client has it."""
WITH_VALUES = ("-X", "-W", "--check-hash-based-pycs")
"""Options of Python that are followed by a value."""
BOOT = (
    "import sys; sys.path[0] or sys.path.{then}; "
    "from runpy import _run_module_as_main as run; run(sys.argv.pop(1))"
)
"""What `-m` does, but for the current folder at the head of the path, where `-P` has not left it out.

Not `-P` itself: IPython 9.7 and later would never import from the folder then, and what a kernel starts with
the options of its own interpreter neither.
"""
THEN = {"ipykernel_launcher": "pop(0)", "ipykernel": "pop(0)"}
"""IPython puts the folder on the path itself as soon as it is up; other kernels find it at the end."""


class Specs(KernelSpecManager):
    """The kernels of this machine; `python3` is our own interpreter, installed as a kernel or not.

    None is started with a file of the folder that it works in, which code may have written.
    """

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return a kernel spec by name, or for the path of an environment.

        Raises jupyter_client's NoSuchKernel, and NoSuchKernelSpec for a path where no kernel can run.
        """
        if kernel_name == NATIVE and find_spec("ipykernel") is not None:
            found = _ipykernel(sys.executable, "Python 3")
        elif is_environment(kernel_name):
            found = _ipykernel(interpreter(kernel_name), kernel_name)
        else:
            found = super().get_kernel_spec(kernel_name)
        found.argv = without_folder(found.argv)
        return found

    def names(self) -> list[str]:
        """Return the names of all kernels there are, `python3` first."""
        found = set(self.find_kernel_specs())
        if find_spec("ipykernel") is not None:
            found.add(NATIVE)
        return sorted(found, key=lambda name: (name != NATIVE, name))


def _ipykernel(python: str, name: str) -> KernelSpec:
    """The kernel of a Python that has no kernel spec."""
    return KernelSpec(
        argv=[python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        display_name=name,
        language="python",
    )


def kernel_names() -> list[str]:
    """Return the names of the kernels that this machine has."""
    return Specs().names()


def kernel_choices() -> list[tuple[str, str]]:
    """The kernels and environments of this machine to choose from: how each is called, and its name."""
    return [
        *((name, name) for name in kernel_names()),
        *((f"{each.name} ({each.path})", each.path) for each in environments()),
    ]


def without_folder(command: Sequence[str]) -> list[str]:
    """Return a command that runs a module by Python's `-m`, to take none of it from the current folder.

    Any other command is returned as it is.
    """
    at = 1
    while at < len(command) and command[at].startswith("-") and command[at] != "-m":
        at += 2 if command[at] in WITH_VALUES else 1
    if command[at : at + 1] != ["-m"] or not PYTHON.fullmatch(Path(command[0]).name):
        return list(command)
    module = command[at + 1 : at + 2]
    then = THEN.get("".join(module), "append(sys.path.pop(0))")
    return [*command[:at], "-c", BOOT.format(then=then), *command[at + 1 :]]
