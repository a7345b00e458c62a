"""The form at the bottom of the Chat tab: its components, and what its buttons do."""
