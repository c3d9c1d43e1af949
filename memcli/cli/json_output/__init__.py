"""The JSON that commands print, defined once: as types whose values are serialized.

Begin with `documents`: it lists every document with the commands that print it. Each type
documents its keys with `Annotated`; JSON Schemas and mem-json(5) are generated from the types, and
the functions beside a type return it, so that mypy checks every key that is printed.

- `documents`: every document, the commands that print it and its lines.
- `session_documents`, `memory_documents`, `reading_documents`, `import_documents`,
  `store_documents`,
  `people_documents`: the types by topic, with the functions that fill them.
- `value_kinds`: kinds of values that several types use.
- `serialize`: a frozen dataclass as JSON; `mem bench` prints such results.
- `json_schema`: from a type to its JSON Schema.
- `fact_reader`: reads the JSON of `mem memories import`.
"""
