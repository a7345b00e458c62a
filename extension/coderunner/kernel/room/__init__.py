"""Which conversations may have a kernel of this machine at once, and which one makes room for another."""
