"""Which system calls a confined process may make, as Linux is told it. Pure: it makes none."""
