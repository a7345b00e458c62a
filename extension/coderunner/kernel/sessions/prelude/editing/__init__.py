"""What a kernel does for code that is being written."""
