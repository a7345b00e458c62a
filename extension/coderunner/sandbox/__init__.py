"""The sandbox of kernels on this machine: what they may reach, who enforces it, and how a refusal is told."""
