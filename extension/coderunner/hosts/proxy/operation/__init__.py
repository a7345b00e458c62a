"""What those who run the proxy see of it: metrics, health, logs; and how it ends."""
