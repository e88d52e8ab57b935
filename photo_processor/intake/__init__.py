"""What comes in: uploads, ZIPs, lists of names, URLs."""
