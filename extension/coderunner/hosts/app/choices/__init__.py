"""What a person chose in the forms, and the models there are to choose from."""
