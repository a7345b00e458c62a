"""What the extension keeps for the whole process: preferences on disk, kernels, open questions."""
