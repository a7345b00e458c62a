"""A conversation of the app: its messages, its blocks, and who follows it. Nothing here knows Gradio."""
