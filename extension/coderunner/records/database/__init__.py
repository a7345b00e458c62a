"""The database: connection, schema, queries, and how outputs and messages are stored in it."""
