"""The forms of the drawer: which model, where code runs, and what it may reach."""
