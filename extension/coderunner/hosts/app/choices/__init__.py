"""The choices made in the forms, and the models that can be chosen."""
