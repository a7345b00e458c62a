// The outer frame: its policy names the one page that may be in it, so the inner frame cannot leave.
{
  const HERE = { t: "coderunner-here" };
  const inner = document.querySelector("iframe");
  let listens = false, handed = null, loads = 0;

  // One message and its port, from the page around to the frame within, when both are there.
  const pass = () => {
    if (!listens || !handed) return;
    inner.contentWindow.postMessage(handed.data, "*", handed.ports);
    removeEventListener("message", hear);
  };
  const hear = ({ data, source, ports }) => {
    if (source === parent && data?.t === "coderunner" && ports.length === 1) handed ??= { data, ports };
    else if (source === inner.contentWindow && data?.t === HERE.t) listens = true;
    pass();
  };
  addEventListener("message", hear);

  inner.onload = () => {
    loads += 1;
    if (loads === 1) return;
    inner.remove();
    parent.postMessage({ t: "coderunner-left" }, "*");
  };
  parent.postMessage(HERE, "*");
}
