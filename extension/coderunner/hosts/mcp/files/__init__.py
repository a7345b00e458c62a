"""Files of sessions as clients name them, read and send them; knows no tool."""
