"""All that we use of text-generation-webui, and the files that its page gets from us."""
