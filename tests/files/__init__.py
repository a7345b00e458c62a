"""Files of a conversation: links to them, and what may be read."""
