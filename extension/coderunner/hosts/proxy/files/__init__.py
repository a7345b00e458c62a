"""The files of conversations behind the proxy: what requests bring along, and links to what code made."""
