// Bundlers keep each module of the old kind in a function, which runs as soon as the bundle does. A browser that is
// not told so reads it twice: first only to find its end, then to compile it. What stands in parentheses it compiles
// at once, beside the page.
import { parse } from "acorn";

const DEEP = 2; // functions around a module: the bundle's own, and that of its publisher

const FUNCTIONS = new Set(["ArrowFunctionExpression", "FunctionExpression", "FunctionDeclaration"]);

// The functions that are all that a variable's maker is given: `var a = module((exports) => { … })`.
function* modules(node, deep = 0) {
  if (deep > DEEP) return;
  const { type, init } = node;
  if (type === "VariableDeclarator" && init?.type === "CallExpression" && init.arguments.length === 1) {
    const [made] = init.arguments;
    if (FUNCTIONS.has(made.type) && made.body.type === "BlockStatement") yield made;
  }
  const inside = deep + Number(FUNCTIONS.has(type));
  for (const part of Object.values(node).flat()) if (typeof part?.type === "string") yield* modules(part, inside);
}

export function hasten(program) {
  const cuts = [...modules(parse(program, { ecmaVersion: "latest" }))].flatMap(({ start, end }) => [[start, "("], [end, ")"]]);
  let at = 0, text = "";
  for (const [place, bracket] of cuts.sort(([one], [other]) => one - other)) {
    text += program.slice(at, place) + bracket;
    at = place;
  }
  return text + program.slice(at);
}
