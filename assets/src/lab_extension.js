// Widgets whose package has a program for JupyterLab alone: a container of modules, of which one is a plugin that
// tells a registry what it has.

const MARK = /^\/\/labextension (\[.*\])\n/;

// Where the container's own file is and what its plugin is called; nothing where bytes are no container.
export function container(bytes) {
  const head = new TextDecoder().decode(new Uint8Array(bytes.buffer ?? bytes, bytes.byteOffset ?? 0, Math.min(bytes.byteLength, 500)));
  try {
    const [load, extension] = JSON.parse(MARK.exec(head)?.[1]);
    return { load, extension };
  } catch {
    return null;
  }
}

// What a package's plugin registers, by the names of modules. `given`: modules that it may share.
export async function registered(name, extension, given, token) {
  const there = globalThis._JUPYTERLAB?.[name];
  if (!there) throw new Error(`${name} has no container of modules`);
  const shared = Object.fromEntries(Object.entries(given).map(([each, { version, exports }]) => [
    each, { [version]: { get: async () => () => exports, loaded: 1, from: "coderunner" } },
  ]));
  await there.init(shared);
  const module = (await there.get(extension))();
  const plugins = module.default ?? module;
  const found = {};
  const registry = { registerWidget: ({ name: module, exports }) => { found[module] = exports; } };
  for (const { activate, requires = [], optional = [] } of [plugins].flat()) {
    const wanted = [...requires, ...optional].map((each) => (each === token || each?.name === token.name ? registry : null));
    if (wanted.includes(registry)) await activate({}, ...wanted);
  }
  const exports = found[name] ?? Object.values(found)[0];
  return await (typeof exports === "function" ? exports() : exports) ?? {};
}
