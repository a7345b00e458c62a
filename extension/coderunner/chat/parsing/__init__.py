"""A streamed reply read as CommonMark: which fences open and close, and what is thought. Pure."""
