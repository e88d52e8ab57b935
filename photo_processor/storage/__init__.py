"""Bytes: sources, results and other files, under their digests."""
