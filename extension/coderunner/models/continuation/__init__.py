"""How a reply goes on after a result: strategies, their detection, and repeated text removed."""
