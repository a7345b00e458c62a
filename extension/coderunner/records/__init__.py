"""Every run is saved before it is sent, exactly once, with what it showed.

And so are the conversations around them, as they grow.
"""
