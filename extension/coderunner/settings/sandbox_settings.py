"""The settings of what code may reach, call, use up and install."""

from typing import Literal

from coderunner.settings.fields import CodeSecrets, Folders, Hosts, Modules, ToolServers, setting
from coderunner.settings.people_settings import PeopleSettings


class SandboxSettings(PeopleSettings):
    """What a kernel on this machine is kept to."""

    sandbox: Literal["auto", "on", "off"] = setting(
        "auto",
        "run kernels on this machine in a sandbox: if the system can (auto), always or not at all (on), "
        "or never (off)",
        "sandbox",
    )
    sandbox_read: Folders = setting(
        (), "folders and files that sandboxed code may read, separated by commas", "sandbox"
    )
    sandbox_write: Folders = setting(
        (), "folders and files that sandboxed code may read and write, separated by commas", "sandbox"
    )
    sandbox_network: Hosts = setting(
        (),
        "domains that sandboxed code may reach, separated by commas: example.org, *.example.org, "
        "example.org:8443, packages (the package indexes of pip and uv), or all",
        "sandbox",
    )
    sandbox_secrets: CodeSecrets = setting(
        (),
        "secrets that code may use without seeing them: names, each with its domain and a file or variable "
        "that has the value",
        "sandbox",
    )
    tools: ToolServers = setting(
        (),
        "MCP servers whose tools code may call: names, each with a command, or with an address and a file or "
        "variable that has its secret",
        "tools",
    )
    tools_approve: Literal["ask", "auto"] = setting(
        "ask",
        "ask before a chat's first call of each tool (ask), or not (auto); in the proxy and on the command "
        "line, where nobody can be asked, code may call all tools",
        "tools",
    )
    max_tool_calls: int = setting(50, "calls of tools that one block may make", "tools", ge=1, le=10_000)
    tool_timeout: float = setting(
        60.0,
        "seconds that one call of a tool may take",
        "tools",
        gt=0,
        le=86_400,
        allow_inf_nan=False,
    )
    packages: Literal["ask", "auto", "off"] = setting(
        "ask",
        "install packages that code lacks into the folder of its chat, on this machine: after a click below "
        "the block (ask), without asking (auto), or not at all (off)",
        "kernel",
    )
    preload: Modules = setting(
        (),
        "modules that each new Python kernel on this machine has loaded from its start, separated by commas: "
        "numpy, pandas, matplotlib.pyplot; on Linux alone, where kernels are forked from a process that has "
        "loaded them; off: each kernel is started by itself",
        "kernel",
    )
    max_kernels: int = setting(
        0,
        "kernels on this machine at once; beyond that, and where memory is short, the one that was unused "
        "for longest makes room, and while all are in use, a block waits; 0: one for each 100 MB of memory",
        "kernel",
        ge=0,
        le=10_000,
    )
    max_kernels_each: int = setting(
        0,
        "kernels on this machine at once of one person or API key; 0: as many as in all, though none may "
        "take the place of one whose owner has fewer",
        "kernel",
        ge=0,
        le=10_000,
    )
    kernel_idle: float = setting(
        60.0,
        "minutes after which a kernel on this machine that nobody uses is ended",
        "kernel",
        gt=0,
        le=100_000,
        allow_inf_nan=False,
    )
    max_memory: float = setting(
        0.0,
        "gigabytes of memory that a kernel on this machine may use, with all the programs that it starts; "
        "a kernel that uses more is ended; 0: no limit",
        "kernel",
        ge=0,
        le=100_000,
        allow_inf_nan=False,
    )
    max_disk: float = setting(
        20.0,
        "gigabytes of disk that the files of a conversation may take: an upload that would take more is "
        "refused, and a sandboxed kernel whose files, in its folder and its temporary one, take more is "
        "ended; 0: no limit",
        "kernel",
        ge=0,
        le=100_000,
        allow_inf_nan=False,
    )

    @property
    def preloaded(self) -> tuple[str, ...] | None:
        """The modules that kernels are forked with; None: they are not forked."""
        return None if self.preload == ("off",) else self.preload
