"""The kernels that are installed on this machine."""

import sys
from importlib.util import find_spec

from jupyter_client.kernelspec import KernelSpec, KernelSpecManager

NATIVE = "python3"
"""The kernel that runs this very interpreter."""
PYTHONS = ("python", "python3", f"python3.{sys.version_info.minor}")
"""Names that mean our own interpreter in a kernel spec, as jupyter_client has it."""


class Specs(KernelSpecManager):
    """The kernels of this machine; `python3` is our own interpreter, installed as a kernel or not."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Return a kernel spec by name; raises jupyter_client's NoSuchKernel."""
        if kernel_name == NATIVE and find_spec("ipykernel") is not None:
            return KernelSpec(
                argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
                display_name="Python 3",
                language="python",
            )
        return super().get_kernel_spec(kernel_name)

    def names(self) -> list[str]:
        """Return the names of all kernels there are, `python3` first."""
        found = set(self.find_kernel_specs())
        if find_spec("ipykernel") is not None:
            found.add(NATIVE)
        return sorted(found, key=lambda name: (name != NATIVE, name))


def kernel_names() -> list[str]:
    """Return the names of the kernels that this machine has."""
    return Specs().names()
