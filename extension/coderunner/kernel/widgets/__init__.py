"""ipywidgets: comms, the models behind them, and what pages and records see of them."""
