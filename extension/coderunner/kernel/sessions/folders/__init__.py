"""Where the files of conversations lie, and how they are reached there."""
