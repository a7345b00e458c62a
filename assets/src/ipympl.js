// Figures of matplotlib that can be turned and zoomed (`%matplotlib widget`).

export { MPLCanvasModel, MPLCanvasView } from "jupyter-matplotlib/lib/mpl_widget.js";
export { ToolbarModel, ToolbarView } from "jupyter-matplotlib/lib/toolbar_widget.js";
