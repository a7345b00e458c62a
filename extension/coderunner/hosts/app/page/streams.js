// Gradio keeps a stream of events open for each page, and over HTTP/1.1 a browser opens six connections to a host:
// with many tabs nothing would load. So it comes through a socket, which is counted apart.
(() => {
  const fetched = window.fetch.bind(window);

  function through(request) {
    const address = new URL("coderunner/stream", document.baseURI);
    address.search = new URL(request.url).search;
    // What Gradio calls this page by.
    window.coderunner.session = address.searchParams.get("session_hash");
    const token = document.querySelector('meta[name="coderunner-token"]').content;
    const socket = new WebSocket(address.href.replace(/^http/, "ws"), ["coderunner", token]);
    socket.binaryType = "arraybuffer";
    return new Promise((resolve, reject) => {
      let body = null, over = false;
      const end = (failure) => {
        if (over) return;
        over = true;
        if (!body) reject(failure ?? new TypeError("The stream could not be opened."));
        else if (failure) body.error(failure);
        else body.close();
      };
      const stop = () => {
        end(request.signal.reason ?? new DOMException("Aborted", "AbortError"));
        socket.close();
      };
      socket.onmessage = ({ data }) => {
        if (over) return;
        if (body) { body.enqueue(new Uint8Array(data)); return; }
        const content = new ReadableStream({ start: (at) => { body = at; }, cancel: () => { over = true; socket.close(); } });
        resolve(new Response(content, { status: Number(data), headers: { "Content-Type": "text/event-stream" } }));
      };
      socket.onclose = () => end();
      if (request.signal.aborted) stop();
      else request.signal.addEventListener("abort", stop);
    });
  }

  // Gradio shows what an answer says in JSON. What somebody says before the app, in a page of theirs, is told so too.
  async function readable(answer) {
    const why = answer.headers.get("content-type")?.includes("json") ? "" : await window.coderunner.unreached(answer);
    return why ? Response.json({ error: `This did not reach the app. ${why}` }, { status: 500 }) : answer;
  }

  window.fetch = (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input, location.href);
    const asked = (route) => url.origin === location.origin && url.pathname.endsWith(`/gradio_api/queue/${route}`);
    if (asked("join")) return fetched(input, init).then(readable);
    // Where a proxy lets no socket through, it comes as it would have.
    return asked("data") && input instanceof Request
      ? through(input).catch((failure) => input.signal.aborted ? Promise.reject(failure) : fetched(input, init))
      : fetched(input, init);
  };
})();
