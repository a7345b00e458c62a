"""Kernels forked from a process that has their libraries loaded, rather than started anew."""
