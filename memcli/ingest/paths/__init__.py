"""The paths that are imported: found, remembered, and read again only where they have changed.

- `known_files`: files that have not changed, and the options of a source.
- `remembered_sources`: the paths that are remembered, and whether they have changed or gone.
- `discover`: exports and logs on this machine that could be imported.
"""
