// Builds what the page loads: `npm ci --ignore-scripts && npm run build`. The result is committed, so that
// nobody needs npm to install or run CodeRunner; `make test-assets` builds it again and compares.
import { copyFileSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transform } from "esbuild";
import { hasten } from "./hasten.mjs";

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const out = process.argv[2] ?? here("../extension/coderunner/page/assets");

// A style sheet that is imported is its text, as small as it can be said.
const sheets = {
  name: "sheets",
  setup(builder) {
    builder.onLoad({ filter: /src\/\w+\.css$/ }, async ({ path }) => ({
      contents: (await transform(readFileSync(path, "utf8"), { loader: "css", minify: true })).code,
      loader: "text",
    }));
  },
};

// Programs that stand on widgets take what is loaded with those, and of lodash the one function that they need.
const shared = {
  name: "shared",
  setup(builder) {
    builder.onResolve({ filter: /^(@jupyter-widgets\/base|lodash)$/ }, ({ path }) => ({ path, namespace: "shared" }));
    builder.onLoad({ filter: /base$/, namespace: "shared" }, () => ({
      contents: "module.exports = globalThis.coderunner.widgets.base",
    }));
    builder.onLoad({ filter: /lodash$/, namespace: "shared" }, () => ({
      contents: 'export { default as throttle } from "lodash/throttle"',
      resolveDir: here("."),
    }));
  },
};

// jQuery finds out by an error whether browsers forgive what they do not know within `:has`; each error while a program
// loads has the browser read all of it again, for the places of a stack.
const asking = {
  name: "asking",
  setup(builder) {
    builder.onLoad({ filter: /jquery\/dist\/jquery\.js$/ }, ({ path }) => {
      const text = readFileSync(path, "utf8");
      const asks = /try \{\s*document\.querySelector\( ":has\(\*,:jqfake\)" \);\s*return false;\s*\} catch \( _ \) \{\s*return true;\s*\}/;
      if (!asks.test(text)) throw new Error("jQuery asks about :has in another way now");
      return { contents: text.replace(asks, 'return !CSS.supports( "selector(:has(*,:jqfake))" );') };
    });
  },
};

const common = {
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
  outdir: out,
};

const used = new Set(["plotly.js-dist-min", "font-awesome"]);
async function make(options) {
  const { metafile } = await build(options);
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
      const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path);
      if (found && bytesInOutput) used.add(found[1]);
    }
  }
}

rmSync(out, { recursive: true, force: true });
await make({ ...common, format: "esm", plugins: [sheets], entryPoints: { host: here("src/host/main.js"), formula: here("src/formula.js"), boxes: here("src/boxes.js"), editor: here("src/editor.js"), missing: here("src/host/missing.js"), app: here("src/app/main.js") } });
await make({
  ...common,
  format: "iife",
  entryPoints: { shell: here("src/shell.js"), frame: here("src/frame/main.js"), inside: here("src/inside.js") },
});
// Engines; each is found as `coderunner.NAME`.
for (const name of ["text", "vega", "geo", "charts", "widgets", "anywidget", "ipympl"]) {
  await make({
    ...common,
    format: "iife",
    // Of Plotly's dependencies only maps have a style sheet, and none are drawn by what is built here.
    ...(name === "charts" ? { loader: { ".css": "empty" }, define: { global: "window", "define.amd": "false" } } : {}),
    alias: { "sanitize-html": here("src/sanitize.js") },
    plugins: name === "ipympl" ? [shared] : [asking],
    globalName: `coderunner.${name}`,
    entryPoints: { [name]: here(`src/${name}.js`) },
  });
}
copyFileSync(here("node_modules/plotly.js-dist-min/plotly.min.js"), `${out}/plotly.js`);
for (const name of ["charts", "widgets", "plotly"]) {
  writeFileSync(`${out}/${name}.js`, hasten(readFileSync(`${out}/${name}.js`, "utf8")));
}
await make({
  ...common,
  loader: { ".woff2": "dataurl", ".woff": "empty", ".ttf": "empty", ".eot": "empty", ".svg": "empty" },
  entryPoints: Object.fromEntries(["theme", "block", "frame", "text", "widgets"].map((name) => [name, here(`src/${name}.css`)])),
});

// Fonts count for a whole page only, the rest within each shadow root only.
const fonts = /@font-face\{[^}]*\}/g, text = readFileSync(`${out}/text.css`, "utf8");
writeFileSync(`${out}/fonts.css`, text.match(fonts).join(""));
writeFileSync(`${out}/formula.css`, text.replace(fonts, ""));

// Packages that come without the text of their licence, and whose it is.
const UNSAID = [
  [/^@jupyter-widgets\//, "Copyright (c) 2015 Project Jupyter Contributors", ["BSD-3-Clause"]],
  [/^@lumino\//, "Copyright (c) 2014-2017, PhosphorJS Contributors\nCopyright (c) 2019, Project Jupyter Contributors",
    ["BSD-3-Clause"]],
  [/^vega-interpreter$/, "Copyright (c) 2015-2026, University of Washington Interactive Data Lab", ["BSD-3-Clause"]],
  [/^font-awesome$/, "Font Awesome by Dave Gandy, http://fontawesome.io; the font under OFL-1.1, its styles under MIT",
    ["OFL-1.1", "MIT"]],
  [/^has-hover$/, "Copyright (c) Dima Yv", ["MIT"]],
  [/^is-mobile$/, "Copyright (c) 2013 Julian Gruber", ["MIT"]],
  [/^native-promise-only$/, "Copyright (c) Kyle Simpson", ["MIT"]],
];

function said(name) {
  const [, whose, texts] = UNSAID.find(([names]) => names.test(name));
  return [whose, ...texts.map((text) => readFileSync(here(`licences/${text}.txt`), "utf8").trim())].join("\n\n");
}

// What of others is in there, and under which licence.
const licences = [...used].sort().map((name) => {
  const folder = here(`node_modules/${name}/`);
  const { version, license } = JSON.parse(readFileSync(`${folder}package.json`, "utf8"));
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  return `${name} ${version} (${license})\n\n${file ? readFileSync(folder + file, "utf8").trim() : said(name)}\n`;
});
writeFileSync(`${out}/licences.txt`, licences.join(`\n${"-".repeat(80)}\n\n`));

const sums = (folder, names) => names.sort().map((name) => {
  const sum = createHash("sha256").update(readFileSync(`${folder}/${name}`)).digest("hex");
  return `${sum}  ${name}\n`;
}).join("");
writeFileSync(`${out}/sha256.txt`, sums(out, readdirSync(out)));

// What it was built of: whether that has changed is seen without building.
if (!process.argv[2]) {
  const files = readdirSync(here("."), { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile() && each.name !== "sources.txt")
    .map((each) => relative(here("."), `${each.parentPath}/${each.name}`))
    .filter((name) => !name.startsWith("node_modules"));
  writeFileSync(here("sources.txt"), sums(here("."), files));
}
