// Vega and Vega-Lite, for closed frames. Expressions are interpreted, so they work also where no script may run.

import * as vega from "vega";
import vegaEmbed from "vega-embed";
import { expressionInterpreter as expr } from "vega-interpreter";
import * as vegaLite from "vega-lite";

export const embed = (place, spec, dark) => vegaEmbed(place, spec, {
  actions: false, renderer: "svg", ast: true, expr, tooltip: { disableDefaultStyle: false },
  ...(dark ? { theme: "dark", config: { background: "transparent" } } : {}),
});

// What HTML that brings its own program expects to find.
Object.assign(globalThis, { vega, vegaLite, vegaEmbed });
