"""What a cell shows and is that may tell of something the sandbox refused. Pure."""
