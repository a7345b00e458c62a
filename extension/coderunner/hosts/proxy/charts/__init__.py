"""Pictures of charts that came without one, for replies that show no charts: what is drawn, and how."""
