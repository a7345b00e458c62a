"""The proxy of one process: who may reach what, and who was refused what."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Set
from pathlib import Path

from coderunner.sandbox.egress.client_connection import Rules
from coderunner.sandbox.egress.dialling import Dialler
from coderunner.sandbox.egress.gate import Gate, new_password
from coderunner.sandbox.egress.placeholders import Placeholders
from coderunner.sandbox.egress.targets import Allowance, Target, allowance
from coderunner.settings.code_secrets import CodeSecret
from coderunner.settings.package_indexes import PackageIndexes, package_indexes

MOST_REFUSED = 32
"""Refused targets that are remembered for a conversation until somebody asks."""


class EgressProxy:
    """Lets each kernel reach what its conversation was granted. Gates live in the loop they are opened in.

    `hosts` says what a conversation may reach, and is asked for each request: a grant is in force at once.
    `indexes` are what the grant `packages` stands for; if none are given, those of this machine.
    `secrets` are put into requests to their hosts, which counts as a grant of these.
    """

    def __init__(
        self,
        hosts: Callable[[str], Set[str]],
        dialler: Dialler | None = None,
        indexes: PackageIndexes | None = None,
        secrets: Iterable[CodeSecret] = (),
    ) -> None:
        self._hosts = hosts
        self.indexes = indexes or package_indexes()
        self._secrets = Placeholders(secrets, self.indexes.logins)
        self._dialler = dialler or Dialler()
        self._lock = threading.Lock()
        self._connections: set[asyncio.Task[None]] = set()
        self._refused: defaultdict[str, dict[str, None]] = defaultdict(dict)

    def open_namespace(self, conversation: str, path: Path) -> Gate:
        """Open a gate for a kernel in a network namespace of its own.

        At `path`, a Unix socket, it waits for the socket that `launcher.way_out.open_way_out` makes in there.
        Raises OSError.
        """
        gate = Gate(conversation, self._rules, self._variables, self._connections)
        gate.wait_at(path)
        return gate

    def open_port(self, conversation: str) -> Gate:
        """Open a gate for a kernel in this machine's network: a loopback port and a password.

        Raises OSError.
        """
        gate = Gate(conversation, self._rules, self._variables, self._connections, password=new_password())
        gate.listen()
        return gate

    def take_refused(self, conversation: str) -> tuple[str, ...]:
        """The hosts that a conversation was refused since the last call, each as the grant that allows it.

        From any thread. What nothing allows (this machine) is not among them.
        """
        with self._lock:
            return tuple(self._refused.pop(conversation, ()))

    @property
    def _variables(self) -> dict[str, str]:
        return {**self.indexes.environment, **self._secrets.environment}

    def _rules(self, whose: Callable[[], str]) -> Rules:
        def allowed(target: Target) -> Allowance:
            grants = self._hosts(whose()) | self._secrets.hosts
            return allowance(grants | self.indexes.hosts if "packages" in grants else grants, target)

        def note(target: Target) -> None:
            with self._lock:
                noted = self._refused[whose()]
                if len(noted) < MOST_REFUSED:
                    noted[str(target)] = None

        return Rules(allowed, note, self._dialler, self._secrets)
