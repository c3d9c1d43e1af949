"""Tasks that concern the whole database.

backup      a copy of the database
encrypt     encrypting, decrypting, changing the key
deletion    permanent deletion of sessions and memories
export      everything, as `mem export` writes it
health      checks for damage
rescue      every readable row of a damaged database, in a new one
peek        reads for shell completion
statistics  counts
"""
