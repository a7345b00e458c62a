"""Which conversation has which kernel: started, prepared, kept warm, found again, rebuilt."""
