"""Conversations as notebooks, and back."""
