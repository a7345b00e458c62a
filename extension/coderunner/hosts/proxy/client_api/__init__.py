"""What clients ask the proxy, and how they are answered."""
