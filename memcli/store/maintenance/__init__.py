"""Care of the database: backup, export, forgetting, health, statistics."""
