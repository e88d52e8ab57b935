"""Pictures as arrays: colour, edges, bytes out."""
