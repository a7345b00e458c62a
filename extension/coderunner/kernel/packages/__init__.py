"""Packages for the kernels of conversations, and environments as kernels."""
