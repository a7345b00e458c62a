"""The demo model: a script behind an OpenAI-compatible API, and the double of real servers in tests."""
