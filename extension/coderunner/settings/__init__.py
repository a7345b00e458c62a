"""The settings: what can be set, where values come from, and the command line's flags."""
