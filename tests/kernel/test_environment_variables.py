"""What a kernel on this machine may know of our environment."""

from coderunner.kernel.connections.environment_variables import for_kernel
from tests.behaviours import behaviour

SECRETS = {
    "OPENAI_API_KEY": "x",
    "HF_TOKEN": "x",
    "DB_PASSWORD": "x",
    "PGPASSWORD": "x",
    "MY_SECRET": "x",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_PROFILE": "x",
    "GOOGLE_APPLICATION_CREDENTIALS": "x",
    "SSH_AUTH_SOCK": "x",
    "SENTRY_DSN": "x",
    "JPY_API_TOKEN": "x",
    "CODERUNNER_MODEL_KEY": "x",
    "PYTHON_API_KEY": "x",
    "github_pat": "x",
    "DATABASE_URL": "postgres://me:hidden@host/db",
    "https_proxy": "http://me:hidden@proxy:3128",
}
PLAIN = {
    "PATH": "/usr/bin",
    "HOME": "/home/me",
    "LANG": "C.UTF-8",
    "LC_ALL": "C",
    "VIRTUAL_ENV": "/venv",
    "PYTHONPATH": "/lib",
    "TZ": "UTC",
    "MPLBACKEND": "agg",
    "http_proxy": "http://proxy:3128",
    "OMP_NUM_THREADS": "2",
}


@behaviour("environment:secrets:removed")
def test_secrets_are_left_out_and_what_programs_need_stays() -> None:
    assert for_kernel(SECRETS | PLAIN) == PLAIN
