"""The Markdown that models write, as HTML of ours. Pure."""
