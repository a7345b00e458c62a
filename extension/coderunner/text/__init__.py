"""Text of any program made fit to be read: whole characters, terminal controls, JSON. Pure."""
