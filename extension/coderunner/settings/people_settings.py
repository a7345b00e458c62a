"""The settings of an app that several people use, each in an app of their own behind a reverse proxy."""

import re
from pathlib import Path

from pydantic import field_validator
from pydantic_settings import BaseSettings

from coderunner.secret_value import Secret
from coderunner.settings.fields import Sealed, setting

HEADER_NAME = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
"""RFC 9110 allows a few signs more, which no proxy uses for this."""


class PeopleSettings(BaseSettings):
    """Who the people are, and how many at once."""

    user_header: str = setting(
        "",
        "request header in which a reverse proxy names the person, such as X-Forwarded-User; each person "
        "gets an app of their own; empty: the app has one user",
        "people",
    )
    hub: bool = setting(
        default=False,
        what="run as a service of a JupyterHub, which says who the people are",
        topic="people",
    )
    proxy_secret: Sealed = setting(
        Secret(),
        "secret that the reverse proxy sends in the header X-CodeRunner-Proxy-Secret, so that its names are "
        "believed; not needed if the app listens on a Unix socket",
        "people",
    )
    proxy_secret_file: Path | None = setting(None, "file with that secret", "people")
    socket: Path | None = setting(
        None, "Unix socket for the app of several people to listen on, in place of a port", "people"
    )
    shared_server: bool = setting(
        default=False,
        what="let the code of all people run on one Jupyter server, where each one's code can reach the "
        "kernels of all",
        topic="people",
    )
    max_people: int = setting(
        20, "people whose apps run at once; each takes 250 MB of memory and more", "people", ge=1, le=10_000
    )
    people_idle: float = setting(
        60.0,
        "minutes after which the app of a person is ended, with its kernels, when no page of it is open and "
        "no code runs",
        "people",
        gt=0,
        le=100_000,
        allow_inf_nan=False,
    )

    @field_validator("user_header")
    @classmethod
    def _is_a_header(cls, name: str) -> str:
        if name and not HEADER_NAME.fullmatch(name):
            message = "the name of a header, such as X-Forwarded-User"
            raise ValueError(message)
        return name
