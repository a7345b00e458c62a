"""The form at the foot of the Chat tab: its components, and what its buttons do."""
