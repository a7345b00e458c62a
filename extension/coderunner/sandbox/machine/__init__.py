"""What there is on this machine beside a kernel. Looks, and changes nothing."""
