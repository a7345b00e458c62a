"""What can go wrong, told apart by who can mend it.

::

    CodeRunnerError
    ├── SettingsError (ValueError)                  a setting has a value that we cannot use
    ├── KernelError                                 a kernel, or the way to it
    │   ├── ServerUnreachable (ConnectionError)     nothing answers at the address
    │   │   └── ServerStopped (ConnectionError)     a Hub could start what would answer there
    │   ├── ServerRefused (PermissionError)         it answers, but does not let us in
    │   │   └── NotPermitted (PermissionError)      it lets us in, but not do this
    │   ├── NotAJupyterServer (ValueError)          something else answers there
    │   ├── NoSuchKernelSpec (LookupError)          it has no kernel of that name
    │   ├── NoSuchKernel (LookupError)              no kernel that runs is meant, or several are
    │   ├── KernelNotStarted (RuntimeError)         the kernel did not come up
    │   │   └── NoRoom (RuntimeError)               none is free, and no code waits for one
    │   ├── NotAnswered (TimeoutError)              it has no answer to a question of ours, or not in time
    │   └── NotAgreed (PermissionError)             a person's own kernel would be emptied unasked
    ├── ToolsUnavailable (ConnectionError)          a server of tools does not answer, or not as one
    ├── PackagesNotInstalled (RuntimeError)         what code needs could not be found or installed
    ├── RecordsUnavailable (OSError)                what runs cannot be saved, or not be read
    │   └── NotRecordable (ValueError)              one thing cannot be, and never will be
    ├── NoSuchConversation (LookupError)            no conversation is meant by a name, or several are
    ├── NotANotebook (ValueError)                   a file is no notebook that we can read
    ├── UnreadableJSON (ValueError)                 a text of others is no JSON, or nested too deep
    └── ModelError                                  a model's endpoint
        ├── EndpointUnreachable (ConnectionError)   nothing answers at the address
        ├── EndpointRefused (PermissionError)       it does not accept our key
        └── EndpointFailed (RuntimeError)           it answered with an error of its own
            └── ReplyBrokenOff (EOFError)           its reply ended before it was complete

Every message is one sentence for a person: it carries the values and the way out, and never a token,
a key or a password. What a program in a cell does wrong is no exception but a `coderunner.outputs.Result`.
"""

from typing import Literal

Standing = Literal["stopped", "starting", "stopping"]
"""How a person's server on a JupyterHub stands that does not answer."""


class CodeRunnerError(Exception):
    """The root of all exceptions of ours."""


class SettingsError(CodeRunnerError, ValueError):
    """A setting has a value that we cannot use."""


class KernelError(CodeRunnerError):
    """A kernel, or the way to it, failed."""


class ServerUnreachable(KernelError, ConnectionError):
    """Nothing answers at the address of the Jupyter server."""


class ServerStopped(ServerUnreachable, ConnectionError):
    """A person's server on a JupyterHub does not run, or not yet.

    `standing` is what it is; `startable`: the Hub starts it if the token asks for it.
    """

    def __init__(self, message: str, *, standing: Standing, startable: bool) -> None:
        super().__init__(message)
        self.standing = standing
        self.startable = startable


class ServerRefused(KernelError, PermissionError):
    """The Jupyter server answers, but does not let us in."""


class NotPermitted(ServerRefused, PermissionError):
    """The Jupyter server knows the token, and does not let it do what was asked."""


class NotAJupyterServer(KernelError, ValueError):
    """Something answers at the address, but it is no Jupyter server."""


class NoSuchKernelSpec(KernelError, LookupError):
    """The server, or this machine, has no kernel of that name."""


class NoSuchKernel(KernelError, LookupError):
    """No kernel that runs is meant by a name, or several are."""


class KernelNotStarted(KernelError, RuntimeError):
    """The kernel did not come up."""


class NoRoom(KernelNotStarted, RuntimeError):
    """All kernels of this machine are in use, and no code waits for this one."""


class NotAnswered(KernelError, TimeoutError):
    """A kernel has no answer to a question of ours, or not in time."""


class NotAgreed(KernelError, PermissionError):
    """What a person's own kernel holds would be lost, and they have not agreed to that."""


class ToolsUnavailable(CodeRunnerError, ConnectionError):
    """A server of tools does not answer, or not as one."""


class PackagesNotInstalled(CodeRunnerError, RuntimeError):
    """What code needs could not be found or installed."""


class RecordsUnavailable(CodeRunnerError, OSError):
    """What runs cannot be saved, or what ran cannot be read."""


class NotRecordable(RecordsUnavailable, ValueError):
    """One thing cannot be saved, now or later: a number, a text or a size that no row takes."""


class NoSuchConversation(CodeRunnerError, LookupError):
    """No conversation is meant by a name, or several are."""


class NotANotebook(CodeRunnerError, ValueError):
    """A file is no notebook that we can read."""


class UnreadableJSON(CodeRunnerError, ValueError):
    """A text that others wrote is no JSON, or it is nested too deep.

    Its message says which, without the subject: who reads the text knows what it is.
    """


class ModelError(CodeRunnerError):
    """The endpoint of a model failed."""


class EndpointUnreachable(ModelError, ConnectionError):
    """Nothing answers at the address of the endpoint."""


class EndpointRefused(ModelError, PermissionError):
    """The endpoint does not accept our key."""


class EndpointFailed(ModelError, RuntimeError):
    """The endpoint answered with an error of its own.

    `status` is its HTTP status, 200 where the error came inside a stream.
    """

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = ""
        """The header `Retry-After` that it came with: seconds or a date; empty without one."""
        self.of_messages = False
        """It came in the form of Anthropic's API, so the endpoint has that."""


class ReplyBrokenOff(EndpointFailed, EOFError):
    """The endpoint's reply ended before it was complete; what came before stands."""
