"""One request from sending to its end: deadline, interrupt, input, late output."""
