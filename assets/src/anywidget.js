// anywidget's models and views; it asks for those of ipywidgets by `define`.

import "anywidget";
