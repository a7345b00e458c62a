"""A kernel in namespaces of its own: its own files, processes, network and host of nobody."""
