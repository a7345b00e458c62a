"""What a kernel's environment has of the scripts that outputs ask for."""
