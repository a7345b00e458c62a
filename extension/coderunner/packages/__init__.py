"""Packages that code needs: which they are, and how a conversation's folder gets them. Knows no kernel."""
