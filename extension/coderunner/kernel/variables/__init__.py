"""What a kernel says of its variables, as values: its answers are a stranger's, and read here. Pure."""
