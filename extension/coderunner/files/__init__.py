"""The files in a conversation's folder: how links name them, and how they are opened."""
