"""Everything that we use of text-generation-webui, and the files that we add to its page."""
