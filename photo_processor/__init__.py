"""A self-hosted photo-processing server: everything but the five modules that tell its story."""
