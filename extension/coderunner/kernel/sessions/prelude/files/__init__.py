"""What a kernel says of the files in its folder."""
