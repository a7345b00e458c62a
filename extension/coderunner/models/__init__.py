"""A model behind an HTTP endpoint, and how it continues a reply."""
