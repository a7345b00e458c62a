"""What the outputs of a conversation load for those that come after them: scripts that define something."""
