"""The programs that CodeRunner runs in: a package for each."""
