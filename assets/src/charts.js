// What draws most figures of Plotly's: its core, which has scatter, and the traces that `traces.js` names.

import core from "plotly.js/lib/core";
import bar from "plotly.js/lib/bar";
import barpolar from "plotly.js/lib/barpolar";
import box from "plotly.js/lib/box";
import candlestick from "plotly.js/lib/candlestick";
import contour from "plotly.js/lib/contour";
import funnel from "plotly.js/lib/funnel";
import funnelarea from "plotly.js/lib/funnelarea";
import heatmap from "plotly.js/lib/heatmap";
import histogram from "plotly.js/lib/histogram";
import histogram2d from "plotly.js/lib/histogram2d";
import histogram2dcontour from "plotly.js/lib/histogram2dcontour";
import icicle from "plotly.js/lib/icicle";
import indicator from "plotly.js/lib/indicator";
import ohlc from "plotly.js/lib/ohlc";
import pie from "plotly.js/lib/pie";
import scatterpolar from "plotly.js/lib/scatterpolar";
import sunburst from "plotly.js/lib/sunburst";
import table from "plotly.js/lib/table";
import treemap from "plotly.js/lib/treemap";
import violin from "plotly.js/lib/violin";
import waterfall from "plotly.js/lib/waterfall";

core.register([
  bar, barpolar, box, candlestick, contour, funnel, funnelarea, heatmap, histogram, histogram2d, histogram2dcontour,
  icicle, indicator, ohlc, pie, scatterpolar, sunburst, table, treemap, violin, waterfall,
]);

export const { newPlot, Plots, PlotSchema } = core;
