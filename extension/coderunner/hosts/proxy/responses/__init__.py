"""OpenAI's Responses API, whose code runs here, before an endpoint that has chat completions."""
