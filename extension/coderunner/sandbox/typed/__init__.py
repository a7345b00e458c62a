"""What a person types to let the code of a chat reach more."""
