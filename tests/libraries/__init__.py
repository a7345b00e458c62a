"""What real libraries show: each display is run with the library itself, and looked at in a browser."""
