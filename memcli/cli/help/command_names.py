"""The names of the commands, in the groups and the order of the help."""

COMMAND_GROUPS = {
    "Import": ("ingest", "sources"),
    "Find": ("ask", "search", "browse", "sessions", "show", "people", "timeline"),
    "Remember": ("read", "memories"),
    "Look after": (
        "stats",
        "doctor",
        "index",
        "backup",
        "export",
        "forget",
        "encrypt",
        "decrypt",
        "config",
    ),
    "More": ("models", "demo", "mcp", "bench"),
}

# Each command is in the module of its name in `commands/`.
COMMANDS = tuple(name for names in COMMAND_GROUPS.values() for name in names)
