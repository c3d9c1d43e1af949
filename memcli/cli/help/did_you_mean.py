"""Suggestions for commands, options and values that do not exist, by meaning and by letters.

People bring words from other programs: `import` for `ingest`, `rm` for `forget`, `--after` for
`--since`. Each such word leads to the words of memcli that mean the same; the first one that exists
in the place where it was typed is suggested.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

_UNKNOWN_NAME = re.compile(
    r"[Nn]o such (?P<kind>command|option):? ['\"]?(?P<name>[^\s'\"]+?)['\"]?\.?$"
)
_UNKNOWN_VALUE = re.compile(r"'(?P<name>[^']*)' is not one of (?P<known>'.*')\.?$")
_EXTRA_WORDS = re.compile(r"[Gg]ot unexpected extra arguments?(?:\(s\))? \((.*)\)\.?$", re.DOTALL)
_TYPER_SUGGESTION = re.compile(r"(?: Did you mean | \(Possible options: )(.+?)[?)]+$")


def _table(text: str) -> dict[str, list[str]]:
    """Return a table of words, from lines of words and, after an arrow, what they mean here."""
    pairs = (line.split("->") for line in text.strip().splitlines())
    return {word: meant.split() for words, meant in pairs for word in words.split()}


COMMANDS = _table("""
    import load -> import ingest
    add -> add ingest
    insert new create write -> add ingest
    update refresh sync rescan -> ingest
    scan discover -> ingest
    list ls all -> list sessions
    history recent log chats conversations dialogs messages -> sessions list
    find query lookup grep locate -> search
    question q answer chat -> ask
    rm remove delete del erase purge drop -> remove forget
    forget uninstall unset -> forget remove
    open view cat print display read-session get info -> show
    edit change modify set rename correct -> edit config
    ok approve confirm keep -> accept
    facts notes remember memory -> memories
    extract learn -> read
    model weights download -> models pull
    fetch install get-model -> pull models
    check verify-all health status diagnose repair fix -> verify doctor
    test -> verify bench doctor
    count statistics stat numbers summary -> stats
    benchmark eval evaluate measure -> bench
    reindex rebuild optimize embed vectors -> index
    dump save -> export backup
    copy restore snapshot archive -> backup
    settings setting configure configuration options preferences prefs -> config
    source files paths exports origins -> sources
    move mv relocate -> move sources
    persons contacts participants speakers who names -> people
    when calendar months chart plot graph -> timeline
    ui tui interactive gui -> browse
    server serve agent tools -> mcp
    example sample try tour tutorial -> demo
    version -> --version
""")
OPTIONS = _table("""
    --after --begin --start --start-date --newer --from-date -> --since
    --before --end --end-date --older --to-date -> --until
    --from -> --since --source
    --to -> --until
    --date --when --period --during --day --month --year --last -> --since
    --max --count --top --number --num --head --first --max-results -k -> --limit
    --person --who --by --user --author --sender --participant --name --with -> --speaker
    --source -> --source --format
    --app --service --origin --platform --site --kind -> --source
    --output --out --print --as -> --format
    --output-format --fmt -> --format
    --force -f --assume-yes --no-confirm -> --yes --replace
    --overwrite -> --replace
    --silent -> --quiet
    --debug --log -> --verbose
    --timeout --time --max-time --deadline --seconds -> --budget --wait
    --database --file --store --path -> --db
    --simulate --preview --no-act --pretend -n -> --dry-run
    --why --reasoning --reason --thoughts --explain -> --trace --why --verbose
    --tz --zone --time-zone -> --timezone
    --threshold --minimum --min -> --min-score
    --tokens --max-tokens -> --context-tokens --think
    --type --parser -> --format
    --gpu --ngl --n-gpu-layers -> --gpu-layers
    --model --llm -> --reader --chat --reranker --embedder
    --follow-up --resume -> --continue
    --stop --fail -> --strict
    --find --auto --search --detect -> --discover
    --ndjson --json-lines -> --jsonl
    --csv --tsv --markdown --md --text -> --format
    --all --branches -> --all --history
    --usage --man -> --help
    --ver -> --version
""")
VALUES = _table("""
    md -> markdown
    txt plain table human -> text
    ndjson json-lines jsonlines -> jsonl
    tsv spreadsheet excel xlsx -> csv tsv
    llm prompt -> context
    user person about-me -> UserMemory
    fact event long-term -> LongTermMemory
    show ls -> list
    add change write -> set
    rm remove delete -> unset
    open -> edit
""")


def suggest_word(word: str, known: Collection[str], meanings: Mapping[str, list[str]]) -> str:
    """Return the known word that is meant by another one; "" if none comes near.

    Args:
        word: the word that was typed.
        known: the words that can be typed in its place.
        meanings: words of other programs, and the words here that mean the same.
    """
    folded = word.casefold()
    meant = next((one for one in meanings.get(folded, ()) if one in known), "")
    if meant:
        return meant
    by_letters = {one.casefold().lstrip("-"): one for one in known}
    near = get_close_matches(folded.lstrip("-"), by_letters, 1)
    return by_letters[near[0]] if near else ""


# What a word that is no command of a group may be meant for.
_MEANT_FOR = {"mem people": "mem sessions --speaker", "mem memories": "mem memories search"}


def suggest(message: str, context: Any) -> tuple[str, str]:  # Any: Typer's context is private
    """Return a message about wrong usage without Typer's own suggestion, and ours; "" for none.

    Args:
        message: in Typer's words.
        context: the place in the tree of commands where it happened; None if it is not known.
    """
    typer_suggestion = _TYPER_SUGGESTION.search(message)
    problem = message[: typer_suggestion.start()] if typer_suggestion else message
    problem = _EXTRA_WORDS.sub(r"unexpected: `\1`", problem)
    meant = ""
    if context and (match := _UNKNOWN_NAME.search(problem)):
        if match["kind"] == "command":
            meant = suggest_word(match["name"], [*context.command.commands, "--version"], COMMANDS)
            meant = meant and f"{context.command_path} {meant}"
            if not meant and context.command_path in _MEANT_FOR:
                meant = f"{_MEANT_FOR[context.command_path]} {match['name']}"
        else:
            name = match["name"].partition("=")[0]
            meant = suggest_word(name, list(_option_names(context)), OPTIONS)
    elif match := _UNKNOWN_VALUE.search(problem):
        meant = suggest_word(match["name"], re.findall(r"'([^']*)'", match["known"]), VALUES)
    if not meant and typer_suggestion:
        return problem, typer_suggestion[1].replace("'", "`")
    return problem, meant and f"`{meant}`"


def _option_names(context: Any) -> Iterable[str]:  # Any: as above
    for parameter in context.command.get_params(context):
        if parameter.param_type_name == "option":
            yield from parameter.opts
