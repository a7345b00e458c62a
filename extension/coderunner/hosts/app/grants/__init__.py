"""What code of one chat may reach beyond its folder, as the page lists it."""
