"""What a kernel is: Jupyter messages, one execution, a client, and who has which kernel."""
