#!/bin/sh
# Makes sure that the browser tests find a Chromium: the one of the system, else Debian's, else Playwright's own.
# Usage: sh tests/install_browser.sh PYTHON      (a second call finds it at once)
set -eu
python=$1

works() { "$1" --version >/dev/null 2>&1; }

for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    works "$name" && exit 0
done
"$python" -c 'import sys; from playwright.sync_api import sync_playwright as start
with start() as p: sys.exit(not __import__("pathlib").Path(p.chromium.executable_path).exists())' && exit 0

as_root=none
[ "$(id -u)" = 0 ] && as_root=
[ "$as_root" = none ] && sudo -n true 2>/dev/null && as_root="sudo -n"

if [ "$as_root" != none ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium with apt-get"
    if $as_root apt-get update -qq && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends chromium chromium-sandbox fonts-dejavu-core >/dev/null
    then
        # On Ubuntu the package of this name is only a pointer to a snap, which may not start.
        if works chromium; then
            # Where they are to be had: the same without windows, with which the tests take less time, and
            # Firefox, without which the tests with it are skipped.
            for more in chromium-headless-shell firefox-esr; do
                $as_root env DEBIAN_FRONTEND=noninteractive \
                    apt-get install -y -qq --no-install-recommends "$more" >/dev/null 2>&1 || true
            done
            exit 0
        fi
    fi
    echo "apt-get gave no Chromium that starts"
fi

echo "Installing Playwright's Chromium"
if [ "$as_root" != none ]; then
    "$python" -m playwright install --with-deps chromium && exit 0
fi
"$python" -m playwright install chromium && exit 0

echo "No Chromium could be installed. Without the browser: $python -m pytest -m 'not browser'" >&2
exit 1
