"""What the proxy itself answers: clients put the status line into their exceptions. Pure."""

from coderunner.sandbox.egress.targets import Target

CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"

HOW_TO_ALLOW = (
    "The sandbox lets code reach only what a person has allowed. They can allow {target} for this chat, or "
    "in the setting sandbox_network."
)
NEVER = "The sandbox never lets code reach this machine or its network's own services; nothing allows that."


def answer(status: int, reason: str, body: str = "", *, headers: str = "") -> bytes:
    """A whole response; `reason` becomes the status line's, `body` explains."""
    content = f"{reason}.{' ' if body else ''}{body}\n".encode()
    head = (
        f"HTTP/1.1 {status} {_printable(reason)}\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(content)}\r\n{headers}Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + content


def refusal(target: Target, *, grantable: bool) -> bytes:
    """The answer to a request for a host that this conversation may not reach."""
    return answer(
        403, f"This block may not reach {target}", HOW_TO_ALLOW.format(target=target) if grantable else NEVER
    )


def _printable(reason: str) -> str:
    return "".join(each if " " <= each <= "~" else "?" for each in reason)[:400]
