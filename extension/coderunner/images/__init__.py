"""Images: their real type, and how they are resized for a model."""
