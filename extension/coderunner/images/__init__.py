"""Images by their bytes: what type they are, and how they become what a model accepts."""
