"""What a kernel on this machine may know of our environment: everything but secrets.

Pure. A kernel runs code that a model wrote; whatever stands in its environment, the model can read.
"""

import re
from collections.abc import Mapping

ALLOWED = re.compile(
    r"PATH|HOME|LANG|LANGUAGE|LC_\w+|TERM|SHELL|USER|LOGNAME|TZ|TMPDIR|TEMP|TMP|PWD"
    r"|VIRTUAL_ENV|CONDA_PREFIX|CONDA_DEFAULT_ENV|LD_LIBRARY_PATH|SYSTEMROOT|PATHEXT|COMSPEC|WINDIR",
    re.IGNORECASE,
)
"""Names that are never a secret, and without which programs do not run."""

SECRET = re.compile(
    r"KEY|TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|COOKIE|AUTH|PRIVATE|CERT|SIGNATURE|SESSION|LICENSE"
    r"|PAT$|PWD$|DSN$|^CODERUNNER_|^JUPYTER|^JPY_|^AWS_|^AZURE_|^GOOGLE_|^GCP_|^GPG_|^KUBE|^VAULT_|CONNECTION_STRING",
    re.IGNORECASE,
)
"""Names that may stand for a secret: rather one too many than one too few."""

CARRIES_PASSWORD = re.compile(r"://[^/\s]*:[^/\s]*@")
"""Values like `postgres://user:password@host`."""


def for_kernel(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the part of an environment that a kernel may see."""
    return {
        name: value
        for name, value in environment.items()
        if ALLOWED.fullmatch(name) or not (SECRET.search(name) or CARRIES_PASSWORD.search(value))
    }
