"""Ways to a kernel: as a child process of ours, or on a Jupyter server over REST and WebSocket."""
