"""Code of a person that stands in no reply: a fence of their own message, and the scratch cell of a chat."""
