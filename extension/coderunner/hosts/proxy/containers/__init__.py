"""The files of conversations as today's APIs have them: those of containers, and those that have an id."""
