"""The result of a cell as the text that the model reads; `display_text` describes what is shown. Pure."""
