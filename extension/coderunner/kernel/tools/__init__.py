"""The calls that code makes to tools: what the kernel sends for one, and what it gets."""
