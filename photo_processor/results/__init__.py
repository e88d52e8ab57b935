"""What leaves the server beside the photos themselves."""
