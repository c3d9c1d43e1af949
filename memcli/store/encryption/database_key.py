"""The key of an encrypted database, and how an encrypted file is known from others.

An encrypted file begins with 16 bytes that are not encrypted: 12 random bytes, which are the salt
of a passphrase, and 4 bytes by which a key is checked. So a wrong key is told apart from damage.
The next bytes, as every SQLite file has them, say how large pages are and what is reserved in each.

A key of 64 hexadecimal digits is used as it is. Any other text is a passphrase, from which scrypt
derives a key; that takes 128 MB and some 0.4 s of processor time at each start, on purpose: whoever
finds the file guesses no faster. As a search takes less than that, the keys that `mem` makes itself
are random and need no derivation.
"""

import hashlib
import os
import re
import unicodedata
from pathlib import Path

import apsw

from memcli.errors import KeyMissingError, WrongKeyError
from memcli.lazy_dataclasses import dataclass, field

SALT_BYTES = 16
KEY_BYTES = 32
_RANDOM_BYTES = 12  # of the salt
_RESERVED = 64  # bytes of each page that AEGIS-256 needs for nonce and tag
_PLAIN_HEADER = b"SQLite format 3\0"
_FRACTIONS = bytes((64, 32, 32))  # stand in the header of every SQLite file
_SCRYPT_COST, _SCRYPT_BLOCK = 2**17, 8  # what OWASP recommends in 2025
_SCRYPT_MEMORY = 256 << 20  # bytes that OpenSSL allows it


@dataclass(frozen=True, slots=True)
class DatabaseKey:
    """The key of one database, and where it came from."""

    raw: bytes = field(repr=False)  # 32 bytes
    salt: bytes  # the first 16 bytes of the file
    origin: str  # in words, for errors

    @classmethod
    def from_text(cls, text: str, salt: bytes, origin: str) -> "DatabaseKey":
        """Return the key that a text stands for in the database with this salt."""
        return cls(_derive(text, salt[:_RANDOM_BYTES]), salt, origin)

    @classmethod
    def with_new_salt(cls, text: str, origin: str) -> "DatabaseKey":
        """Return the key that a text stands for in a database that is still to be written."""
        random = os.urandom(_RANDOM_BYTES)
        raw = _derive(text, random)
        return cls(raw, random + _check_bytes(raw, random), origin)

    def fits(self) -> bool:
        """Return whether this is the key that the database was encrypted with."""
        import hmac

        random, check = self.salt[:_RANDOM_BYTES], self.salt[_RANDOM_BYTES:]
        return hmac.compare_digest(_check_bytes(self.raw, random), check)

    def with_repaired_salt(self) -> "DatabaseKey":
        """Return the key of a new database, in place of one whose salt is damaged."""
        return self.with_new_salt(self.raw.hex(), self.origin)

    def wrong_key_error(self, path: Path) -> WrongKeyError:
        """Return the error that this is not the key of a database."""
        return WrongKeyError(
            f"{path} is encrypted with another key than {self.origin} gives",
            hint="`mem config set database.key_command COMMAND` or `database.key_file FILE` names"
            " the right one; unset both to be asked for a passphrase",
        )

    def sqlite_key(self) -> str:
        """Return the key and the salt in the driver's notation."""
        return f"raw:{self.raw.hex()}{self.salt.hex()}"


def new_key_text() -> str:
    """Return a random key, as 64 hexadecimal digits."""
    return os.urandom(KEY_BYTES).hex()


def read_file_header(path: Path) -> bytes:
    """Return the first 100 bytes of a file, empty if it cannot be read.

    They are read by SQLite's own file system: to close a file in any other way would release the
    locks of every connection that this process has to it. It follows no link.
    """
    flags = [apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_MAIN_DB, 0]
    try:
        file = apsw.VFSFile("unix", os.path.realpath(path), flags)
        try:
            return bytes(file.xRead(100, 0))
        finally:
            file.xClose()
    except (apsw.Error, OSError, UnicodeError):
        return b""


def encrypted_salt(path: Path) -> bytes | None:
    """Return the salt of an encrypted database; None of any other file, or if there is none."""
    header = read_file_header(path)
    is_encrypted = not header.startswith(_PLAIN_HEADER) and header[18:24] in (
        bytes((each, each, _RESERVED)) + _FRACTIONS for each in (1, 2)
    )
    return header[:SALT_BYTES] if is_encrypted else None


def _derive(text: str, random: bytes) -> bytes:
    """Return the 32 bytes that a key or a passphrase stands for."""
    if re.fullmatch(f"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", text):
        return bytes.fromhex(text)
    if not hasattr(hashlib, "scrypt"):  # Python may be built with another library than OpenSSL
        raise KeyMissingError(
            "this Python cannot derive a key from a passphrase",
            hint="`mem encrypt --key-file FILE` makes a random key, which needs no derivation",
        )
    return hashlib.scrypt(
        unicodedata.normalize("NFC", text).encode("utf-8", "surrogateescape"),
        salt=random,
        n=_SCRYPT_COST,
        r=_SCRYPT_BLOCK,
        p=1,
        maxmem=_SCRYPT_MEMORY,
        dklen=KEY_BYTES,
    )


def _check_bytes(raw: bytes, random: bytes) -> bytes:
    import hmac

    digest = hmac.digest(raw, b"memcli key check" + random, "sha256")
    return digest[: SALT_BYTES - _RANDOM_BYTES]
