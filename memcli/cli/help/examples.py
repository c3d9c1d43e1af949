"""Two examples of each command, which its help and its manual page end with; a test runs them."""

EXAMPLES: dict[str, tuple[str, str]] = {
    "mem ingest": ("mem ingest ~/Downloads/chatgpt-export.zip", "mem ingest --discover --dry-run"),
    "mem ask": ("mem ask where is my passport", "mem ask which dish did Ann like --since 2024"),
    "mem search": ("mem search door code", "mem search passport --since 2024 --jsonl"),
    "mem read": ("mem read --dry-run", "mem read --budget 2h"),
    "mem sessions": ("mem sessions --limit 10", "mem sessions --source chatgpt --format csv"),
    "mem show": ("mem show s_k3j", "mem show s_k3j:2 --context 0"),
    "mem people": ("mem people", 'mem people merge me "Mira Santos" mira'),
    "mem people list": ("mem people", "mem people --source whatsapp --limit 5"),
    "mem people merge": (
        'mem people merge me "Mira Santos" mira',
        'mem people merge "Kaito Mori" kaito "+81 90 1234 5678"',
    ),
    "mem timeline": ("mem timeline passport", "mem timeline --format svg > months.svg"),
    "mem forget": ("mem forget s_k3j --dry-run", "mem forget --source chatgpt --dry-run"),
    "mem stats": ("mem stats", "mem stats --json"),
    "mem doctor": ("mem doctor", "mem doctor --fix"),
    "mem index": ("mem index", "mem index --rebuild"),
    "mem backup": ("mem backup copy.db", "mem backup copy.db --replace --verify"),
    "mem export": (
        "mem export > everything.jsonl",
        "mem export s_k3j --format markdown --to notes",
    ),
    "mem encrypt": ("mem encrypt --key-file ~/.mem-key", "mem encrypt --change-key"),
    "mem decrypt": ("mem decrypt", "mem --db copy.db decrypt"),
    "mem config": ("mem config", 'mem config set people.me "Mira Santos" mira'),
    "mem demo": ("mem demo", "mem demo --reranker none --sifter none"),
    "mem bench": ("mem bench locomo10.json", "mem bench --speed"),
    "mem mcp": ("claude mcp add mem -- mem mcp", "mem mcp --reranker none"),
    "mem sources": ("mem sources", "mem sources --json"),
    "mem sources list": ("mem sources", "mem sources --json"),
    "mem sources move": (
        "mem sources move ~/Downloads/chat.txt ~/archive/chat.txt",
        "mem sources move chat.txt ~/archive/chat.txt",
    ),
    "mem sources remove": (
        "mem sources remove ~/Downloads/chat.txt",
        "mem sources remove chat.txt notes.jsonl",
    ),
    "mem memories": ("mem memories", "mem memories search door code"),
    "mem memories list": ("mem memories", "mem memories list --type UserMemory"),
    "mem memories search": (
        "mem memories search door code",
        "mem memories search what do I eat --limit 3",
    ),
    "mem memories show": ("mem memories show m_k3j", "mem memories show m_k3j --why"),
    "mem memories add": (
        'mem memories add "door code" "It is 3826" --tag flat',
        'mem memories add diet "Eats no hazelnuts"',
    ),
    "mem memories edit": (
        'mem memories edit m_k3j "Lives in Porto"',
        'mem memories edit m_k3j --key "home city"',
    ),
    "mem memories accept": ("mem memories accept m_k3j", "mem memories accept m_k3j m_q7x"),
    "mem memories forget": (
        "mem memories forget m_k3j --dry-run",
        "mem memories forget m_k3j --yes",
    ),
    "mem memories export": (
        "mem memories export > memories.json",
        "mem memories export --format markdown",
    ),
    "mem memories import": (
        "mem memories import memories.json",
        "mem memories export | mem --db other.db memories import -",
    ),
    "mem models": ("mem models list", "mem models pull memreranker-4b"),
    "mem models list": ("mem models list", "mem models list --json"),
    "mem models pull": ("mem models pull", "mem models pull memreranker-4b --yes"),
    "mem models verify": ("mem models verify", "mem models verify memreranker-4b"),
    "mem models add": (
        "mem models add mine.gguf --role reranker",
        "mem models add mine.gguf --role chat --name mine",
    ),
    "mem models remove": (
        "mem models remove memreranker-4b",
        "mem models remove mine memsifter-4b",
    ),
    "mem models show": ("mem models show memsifter-4b", "mem models show memreranker-4b"),
    "mem models path": ("mem models path", "mem models path memreranker-4b"),
}
