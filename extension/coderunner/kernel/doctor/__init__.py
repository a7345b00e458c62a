"""The connection doctor: walks the way to a kernel step by step and says which step fails."""
