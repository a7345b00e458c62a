"""What a reply is: fences, thought, the turn, and results as text for the model. Pure."""
