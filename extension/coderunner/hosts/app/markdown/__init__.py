"""The Markdown that models write, as safe HTML. Pure."""
