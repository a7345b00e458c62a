"""The files that a person sends with a message: what the model is told and shown of them."""
