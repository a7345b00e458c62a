"""The app's page in Gradio: layout, forms, events, and the HTML of messages."""
