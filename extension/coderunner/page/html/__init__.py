"""Blocks and outputs as HTML: safe markup, or data for a sandboxed frame."""
