"""What runs inside a Python kernel where tools were configured: their functions, as `tools`."""
