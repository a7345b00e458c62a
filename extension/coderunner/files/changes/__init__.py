"""Which files of a conversation's folder change while a cell runs."""
