"""The servers that people have: one contract, shown on the real ones and on what stands in for them."""
