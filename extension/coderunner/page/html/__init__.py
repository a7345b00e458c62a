"""Blocks and outputs as HTML: safe markup of ours, or data for a sandboxed frame."""
