"""What runs in the kernel's process before the kernel does: the standard library and this folder only."""
