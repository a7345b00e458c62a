"""Where the process between us and a kernel begins, whichever backend walls it in."""
