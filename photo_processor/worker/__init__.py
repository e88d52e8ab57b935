"""How photos are worked on, and the work around that."""
