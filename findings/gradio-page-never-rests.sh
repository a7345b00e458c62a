#!/usr/bin/env bash
# gradio 6.31.0: once a page has loaded, it asks for an animation frame sixty times a second for as long as it is in
# view, though it has no events and nothing on it moves. The loop is that of the counter of seconds in the sign of
# loading: it goes on when the sign has been taken away. What is put into the head (`head=`) cannot stop it by
# replacing requestAnimationFrame, since the page's own modules run before that and have taken the original.
# Needs a Chromium: the system's, else one from `playwright install chromium`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet gradio==6.31.0 playwright==1.65.2
cat >"$work/page.py" <<'PY'
import shutil, sys
import gradio as gr
from playwright.sync_api import sync_playwright

COUNT = """
window.frames = []; window.replaced = 0;
const next = window.requestAnimationFrame;
window.requestAnimationFrame = function (call) {
  window.frames.push(new Error().stack);
  return next.call(window, call);
};
"""
HEAD = """<script>
const before = window.requestAnimationFrame;
window.requestAnimationFrame = (call) => { window.replaced += 1; return before.call(window, call); };
</script>"""

def expect(what, seen, holds):
    print(f"{what}: {seen!r}")
    if not holds:
        sys.exit("changed: this was otherwise before")

with gr.Blocks(analytics_enabled=False) as blocks:
    gr.Textbox(label="Still")
expect("events of the page", len(blocks.fns), len(blocks.fns) == 0)
_, address, _ = blocks.launch(prevent_thread_lock=True, quiet=True, share=False, head=HEAD, ssr_mode=False)

found = next(filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))), None)
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
    page = browser.new_page(reduced_motion="reduce")
    page.add_init_script(COUNT)
    page.goto(address)
    page.get_by_label("Still").wait_for()
    page.wait_for_timeout(8000)
    page.evaluate("window.frames = []; window.replaced = 0")
    page.wait_for_timeout(3000)
    frames = page.evaluate("window.frames")
    expect("frames asked for in 3 s, 8 s after loading", len(frames), len(frames) > 60)
    where = {frame.split("\n")[2].strip().split("/")[-1].split("-")[0] for frame in frames}
    expect("by the asset", where, where == {"statustracker"})
    expect("of these by what was put into the head", page.evaluate("window.replaced"), page.evaluate("window.replaced") == 0)
    browser.close()
blocks.close()
PY
timeout 300 "$work/venv/bin/python" "$work/page.py"
