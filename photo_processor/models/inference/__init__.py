"""What makes a matte: networks on their runtimes, the classical engines, and what is kept of both."""
