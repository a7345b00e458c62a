"""Runs in the template: a process with a kernel's libraries loaded, of which kernels are forked.

It runs no code of a conversation, and is told nothing of one: what a kernel is to be, the forked process
reads itself.
"""
