"""The app for several people."""
