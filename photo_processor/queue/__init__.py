"""The queue in SQLite: its statements, what they take and give, its migrations and backups."""
