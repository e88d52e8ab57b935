"""The HTTP and WebSocket contract; each module is one group of addresses."""
