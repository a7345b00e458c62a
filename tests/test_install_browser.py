"""`make test` finds or installs a browser on machines of every kind; these are made of stubs."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.behaviours import behaviour

SCRIPT = Path(__file__).parent / "install_browser.sh"
MAKES_CHROMIUM = 'printf "#!/bin/sh\\n" > "$HERE/chromium"; chmod +x "$HERE/chromium"'
MAKES_A_POINTER_TO_A_SNAP = 'printf "#!/bin/sh\\nexit 1\\n" > "$HERE/chromium"; chmod +x "$HERE/chromium"'
PYTHON_WITHOUT_BROWSER = 'case "$1 $3" in "-c "*) exit 1;; "-m install") exit 0;; esac'

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="make is for the other systems")


def install(machine: Path, **programs: str) -> tuple[int, list[str], str]:
    """Run the script on a machine that has `programs`; gives its exit code, what it called, and its words."""
    for name in ("sh", "env", "chmod"):
        (machine / name).symlink_to(shutil.which(name) or "")
    for name, does in {"id": "echo 1000", "python": PYTHON_WITHOUT_BROWSER, **programs}.items():
        path = machine / name.replace("_", "-")
        path.write_text(f'#!/bin/sh\nHERE={machine}\necho "{path.name} $*" >> "$HERE/calls"\n{does}\n')
        path.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", SCRIPT, machine / "python"],
        env={"PATH": str(machine)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    calls = (machine / "calls").read_text().splitlines()
    installs = [call for call in calls if " install" in call]
    return done.returncode, installs, done.stdout + done.stderr


APT = "apt-get install -y -qq --no-install-recommends chromium chromium-sandbox fonts-dejavu-core"
MORE = [
    "apt-get install -y -qq --no-install-recommends chromium-headless-shell",
    "apt-get install -y -qq --no-install-recommends firefox-esr",
]
PLAYWRIGHT = "python -m playwright install chromium"
PLAYWRIGHT_AS_ROOT = "python -m playwright install --with-deps chromium"


@behaviour("packaging:browser:found")
@pytest.mark.parametrize("name", ["chromium", "chromium_headless_shell", "google_chrome"])
def test_a_browser_that_is_there_is_taken(tmp_path: Path, name: str) -> None:
    assert install(tmp_path, **{name: "", "apt_get": ""}) == (0, [], "")


@behaviour("packaging:browser:found")
def test_playwrights_own_is_taken_where_it_is_there(tmp_path: Path) -> None:
    assert install(tmp_path, python="exit 0", apt_get="") == (0, [], "")


@behaviour("packaging:browser:installed")
def test_root_gets_it_by_apt(tmp_path: Path) -> None:
    code, calls, _ = install(tmp_path, id="echo 0", apt_get=MAKES_CHROMIUM)
    assert (code, calls) == (0, [APT, *MORE])


@behaviour("packaging:browser:installed")
@pytest.mark.parametrize("name", ["firefox-esr", "chromium-headless-shell"])
def test_what_of_the_rest_is_not_to_be_had_is_done_without(tmp_path: Path, name: str) -> None:
    code, _, words = install(tmp_path, id="echo 0", apt_get=f'{MAKES_CHROMIUM}; [ "$5" != {name} ]')
    assert (code, words) == (0, "Installing Chromium with apt-get\n")


@behaviour("packaging:browser:installed")
def test_a_person_with_sudo_gets_it_by_apt(tmp_path: Path) -> None:
    code, calls, _ = install(tmp_path, sudo='shift; "$@"', apt_get=MAKES_CHROMIUM)
    assert (code, [call for call in calls if call.startswith("apt-get")]) == (0, [APT, *MORE])


@behaviour("packaging:browser:installed")
def test_a_person_without_rights_gets_playwrights_own(tmp_path: Path) -> None:
    code, calls, _ = install(tmp_path, sudo="exit 1", apt_get="exit 100")
    assert (code, calls) == (0, [PLAYWRIGHT])


@behaviour("packaging:browser:installed")
def test_a_pointer_to_a_snap_that_does_not_start_is_not_enough(tmp_path: Path) -> None:
    code, calls, _ = install(tmp_path, id="echo 0", apt_get=MAKES_A_POINTER_TO_A_SNAP)
    assert (code, calls) == (0, [APT, PLAYWRIGHT_AS_ROOT])


@behaviour("packaging:browser:installed")
def test_where_there_is_none_to_be_had_it_says_how_to_go_on(tmp_path: Path) -> None:
    code, calls, words = install(tmp_path, python="exit 1")
    assert (code, calls) == (1, [PLAYWRIGHT])
    assert "Without the browser: " in words
    assert "-m 'not browser'" in words
