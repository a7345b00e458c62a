// What goes between this page and the host around it: JSON-RPC by messages, after the extension MCP Apps of 2026-01-26.

const VERSION = "2026-01-26";

export class Bridge {
  #next = 1; #asked = new Map(); #does;

  // `does`: by a method, what is done when the host says it.
  constructor(does) {
    this.#does = does;
    addEventListener("message", ({ data, source }) => {
      // The frames of outputs can send messages, too.
      if (source === parent && data?.jsonrpc === "2.0") this.#hear(data);
    });
  }

  // Says what this is; gives what the host says of itself.
  async begin() {
    const appInfo = { name: "CodeRunner", version: "1" };
    const host = await this.ask("ui/initialize", { appInfo, appCapabilities: {}, protocolVersion: VERSION });
    this.tell("ui/notifications/initialized", {});
    return host;
  }

  ask(method, params) {
    const id = this.#next++;
    return new Promise((done, failed) => {
      this.#asked.set(id, { done, failed });
      this.#send({ id, method, params });
    });
  }

  tell(method, params) { this.#send({ method, params }); }

  #send(message) { parent.postMessage({ jsonrpc: "2.0", ...message }, "*"); }

  #hear({ id, method, params, result, error }) {
    if (method === undefined) {
      const asked = this.#asked.get(id);
      this.#asked.delete(id);
      if (error) asked?.failed(new Error(error.message));
      else asked?.done(result);
      return;
    }
    const said = this.#does[method]?.(params);
    if (id === undefined) return;
    const known = method === "ping" || method in this.#does;
    this.#send(known ? { id, result: said ?? {} } : { id, error: { code: -32601, message: "Method not found" } });
  }
}
