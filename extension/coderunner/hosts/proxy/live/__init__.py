"""Pages that show the outputs of one block live, linked from its reply; nothing is run there."""
