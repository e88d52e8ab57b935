"""What comes in and goes out in bulk: uploads, ZIPs in, ZIPs out."""
