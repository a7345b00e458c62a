"""Runs in a process of its own between us and a kernel: walls it in, then starts it. Standard library only.

It is imported by a bare interpreter (`python -I -S`), whose start is part of every kernel's start: so nothing
here imports what takes milliseconds, such as json, re, signal or subprocess.
"""
