// The outer frame: its policy names the one page that may be in it, so the inner frame cannot leave.
{
  const FRAME = document.currentScript.src.replace(/shell\.js.*/, `${document.body.dataset.level}/frame.html`);

  addEventListener("message", function begin({ data, source, ports }) {
    if (source !== parent || data?.t !== "coderunner" || ports.length !== 1) return;
    removeEventListener("message", begin);
    const inner = document.createElement("iframe");
    inner.sandbox = "allow-scripts";
    inner.src = FRAME;
    inner.referrerPolicy = "no-referrer";
    inner.title = "Output";
    let loads = 0;
    inner.onload = () => {
      loads += 1;
      if (loads === 1) return inner.contentWindow.postMessage(data, "*", ports);
      inner.remove();
      parent.postMessage({ t: "coderunner-left" }, "*");
    };
    document.body.append(inner);
  });
}
