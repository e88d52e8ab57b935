"""Pictures as arrays: bytes in, colour, geometry, edges, faces, bytes out."""
