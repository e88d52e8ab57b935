"""Networks and other engines: their files, how they run, and what they find."""
