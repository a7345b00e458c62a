"""One reply of the webui: from the prompt to the text with its results."""
