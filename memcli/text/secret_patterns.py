"""The patterns of secrets: keys, tokens, passwords, and numbers of cards and accounts.

Each pattern has marks, which are pieces of lower-case text of which a secret of its kind has at
least one. A text without any of them is not searched, so that ordinary chat costs little.
"""

import re
from collections.abc import Callable
from typing import Literal, TypeAlias, get_args

from memcli.lazy_dataclasses import dataclass
from memcli.text.secret_checks import (
    has_random_part,
    is_bank_routing_number,
    is_card_number,
    is_iban,
    is_password,
    is_random,
)

SecretKind: TypeAlias = Literal[
    "private key", "API key", "token", "password", "card number", "IBAN", "account number"
]
SECRET_KINDS: tuple[SecretKind, ...] = get_args(SecretKind)


@dataclass(frozen=True, slots=True)
class SecretPattern:
    """A pattern of one kind of secret."""

    kind: SecretKind
    marks: tuple[str, ...]  # lower case; none means that every text is searched
    pattern: re.Pattern[str]  # its group `secret`, or else the whole match, is the secret
    check: Callable[[str], bool] | None = None  # a checksum, or another condition


def _prefix_pattern(mark: str, rest: str, kind: SecretKind = "API key") -> SecretPattern:
    """Return the pattern of keys that begin with a fixed text."""
    pattern = rf"(?<![A-Za-z0-9]){mark}{rest}(?![A-Za-z0-9])"
    return SecretPattern(kind, (mark.lower().replace("\\", ""),), re.compile(pattern))


_WORD = r"[A-Za-z0-9_-]"
_PREFIX_PATTERNS = (  # of keys that say whose they are; the lengths are those of their makers
    *(_prefix_pattern(mark, r"[A-Z0-9]{16}") for mark in ("AKIA", "ASIA")),
    *(_prefix_pattern(f"gh{each}_", r"[A-Za-z0-9]{30,255}") for each in "pousr"),
    _prefix_pattern("github_pat_", r"\w{22,255}"),
    _prefix_pattern("glpat-", _WORD + "{20,}"),
    *(_prefix_pattern(f"xox{each}-", r"[A-Za-z0-9-]{10,}") for each in "abeoprs"),
    _prefix_pattern("xapp-", r"[A-Za-z0-9-]{20,}"),
    *(
        _prefix_pattern(f"{each}_", r"[A-Za-z0-9]{16,}")
        for each in ("sk_live", "sk_test", "rk_live")
    ),
    _prefix_pattern("whsec_", r"[A-Za-z0-9+/=]{20,}"),
    SecretPattern(
        "API key", ("sk-",), re.compile(rf"(?<![A-Za-z0-9])sk-{_WORD}{{20,}}+"), has_random_part
    ),
    _prefix_pattern("AIza", _WORD + "{35}"),
    _prefix_pattern("GOCSPX-", _WORD + "{20,}"),
    _prefix_pattern("ya29\\.", r"[A-Za-z0-9._-]{20,}", "token"),
    *(
        _prefix_pattern(each, r"[A-Za-z0-9]{30,}")
        for each in ("hf_", "npm_", "r8_", "gsk_", "ntn_")
    ),
    *(_prefix_pattern(each, r"[A-Za-z0-9-]{30,}") for each in ("xai-", "pplx-", "tvly-", "nvapi-")),
    _prefix_pattern("lin_api_", r"[A-Za-z0-9]{30,}"),
    _prefix_pattern("pypi-AgE", _WORD + "{50,}"),
    _prefix_pattern("SG\\.", _WORD + r"{16,}\." + _WORD + "{16,}"),
    *(
        _prefix_pattern(each, r"[a-f0-9]{32,64}")
        for each in ("dop_v1_", "shpat_", "shpss_", "dapi")
    ),
    *(_prefix_pattern(each, _WORD + "{22,}") for each in ("sq0atp-", "sq0csp-")),
    _prefix_pattern("AGE-SECRET-KEY-1", r"[A-Z0-9]{50,}", "private key"),
    _prefix_pattern("xprv", r"[1-9A-HJ-NP-Za-km-z]{100,}", "private key"),
)

_PASSWORD_WORDS = (
    "passwor[dt]|passwd|passcode|passphrase|pwd|kennwort|contrase[ñn]a|senha|palavra-passe"
    "|mot de passe|mdp|wachtwoord|hasło|lösenord|adgangskode|salasana|heslo|jelszó|parolă"
    "|şifre|парол[ья]|密码|密碼|口令|パスワード|暗証番号|비밀번호|암호|كلمة (?:السر|المرور)|סיסמה"
)
_PASSWORD_MARKS = (
    *"passwor passwd passcode passphrase pwd kennwort contrase senha palavra-passe mdp".split(),
    *"wachtwoord hasło lösenord adgangskode salasana heslo jelszó parolă şifre парол".split(),
    *"密码 密碼 口令 パスワード 暗証番号 비밀번호 암호 كلمة סיסמה".split(),
    "mot de passe",
)
_IS = (
    r"(?:[:=：]|=>|->|(?<=\s)(?:is(?: now)?|was|ist(?: jetzt)?|war|es|est|é|è|jest|är|er)(?=\s)"
    r"|[は是为為])"
)
_WORDS_BETWEEN = r"(?:[ \t]+[^\s:=.,;!?]{1,20}){0,4}?[ \t]{0,3}"
_QUOTE = "[\"'`“”„«»「」]"
_PASSWORD = (  # keyword, a few words between them, `:` or `is`, and the password
    rf"(?i)(?:{_PASSWORD_WORDS})['\"`]?{_WORDS_BETWEEN}{_IS}\s{{0,3}}"
)

PATTERNS = (
    SecretPattern(
        "private key",
        ("private key",),
        re.compile(
            r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?"
            r"(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
    ),
    SecretPattern(  # lines of a key whose beginning or end is in another piece of the text
        "private key",
        (),
        re.compile(
            r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{60,76}\s{1,9}){2,}[A-Za-z0-9+/]{4,76}={0,2}"
        ),
        is_random,
    ),
    *_PREFIX_PATTERNS,
    SecretPattern(
        "token",
        ("eyj",),
        re.compile(
            r"(?<![A-Za-z0-9])eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"
        ),
    ),
    SecretPattern(
        "token",
        (":aa",),  # of a Telegram bot
        re.compile(r"(?<!\d)\d{8,10}:AA[A-Za-z0-9_-]{32,33}(?![A-Za-z0-9_-])"),
    ),
    SecretPattern(
        "token",
        ("hooks.slack.com/", "discord.com/api/webhooks/", "discordapp.com/api/webhooks/"),
        re.compile(
            r"(?:hooks\.slack\.com/(?:services|workflows)|/api/webhooks)/(?P<secret>[\w/-]{20,})"
        ),
    ),
    SecretPattern(
        "token",
        ("bearer ", "basic "),
        re.compile(r"(?i)\b(?:bearer|basic)[ \t]{1,3}(?P<secret>[A-Za-z0-9._~+/=-]{20,})"),
        is_random,
    ),
    SecretPattern(
        "password",
        ("://",),
        re.compile(r"://[^\s/@:]{0,64}:(?P<secret>[^\s/@]{1,200})@[\w\[]"),
        lambda value: is_password(value, quoted=True),
    ),
    SecretPattern(
        "token",
        ("token=", "key=", "secret=", "sig=", "signature=", "auth="),
        re.compile(
            r"(?i)[?&;](?:\w{0,20}(?:token|key|secret)|sig|signature|auth)="
            r"(?P<secret>[A-Za-z0-9._~%+/=-]{12,})"
        ),
        is_random,
    ),
    SecretPattern(
        "API key",
        ("key", "token", "secret"),
        re.compile(
            r"(?i)(?:api|app|access|account|auth|authtoken|secret|private|client|encryption|signing"
            r"|bot|shared|aws|licen[cs]e|product|activation)(?:[ _-]?(?:access|api|secret))?"
            rf"[ _-]?(?:key|token|secret)['\"`]?\s{{0,3}}{_IS}\s{{0,3}}{_QUOTE}?"
            r"(?P<secret>[A-Za-z0-9_./+=-]{16,})"
        ),
        is_random,
    ),
    SecretPattern(
        "password",
        _PASSWORD_MARKS,
        re.compile(rf"{_PASSWORD}{_QUOTE}(?P<secret>[^\s\"'`“”„«»「」]{{4,64}}){_QUOTE}"),
        lambda value: is_password(value, quoted=True),
    ),
    SecretPattern(
        "password",
        _PASSWORD_MARKS,
        re.compile(rf"{_PASSWORD}(?P<secret>[^\s\"'`“”„«»「」]{{4,64}})"),
        is_password,
    ),
    SecretPattern(  # nothing else on the line: then it may be a plain word
        "password",
        _PASSWORD_MARKS,
        re.compile(
            rf"(?im)(?:{_PASSWORD_WORDS})[ \t]{{0,3}}[:=：][ \t]{{0,3}}"
            r"(?P<secret>[^\W\d_]{6,40})[.!]?[ \t]*$"
        ),
        lambda value: is_password(value, alone=True),
    ),
    SecretPattern(
        "password",
        ("pin",),
        re.compile(
            rf"\b(?:PIN|Pin|pin)(?:[ -](?:[Cc]ode|[Nn]umber|[Nn]ummer))?"
            rf"{_WORDS_BETWEEN}{_IS}[ \t]{{0,3}}(?P<secret>\d{{4,8}})(?![\d.,:/-]*\d)"
        ),
    ),
    SecretPattern(
        "private key",
        ("phrase", "mnemonic"),
        re.compile(
            r"(?im)(?:seed|recovery|backup|secret|wallet|mnemonic)[ -]?(?:phrase|words)?[ \t]{0,3}"
            r"(?::|is:?)\s{0,3}(?P<secret>(?:[a-z]{3,8}[ ,]{1,2}){11}"
            r"(?:(?:[a-z]{3,8}[ ,]{1,2}){12})?[a-z]{3,8})[.]?[ \t]*$"
        ),
    ),
    SecretPattern(
        "card number",
        (),
        re.compile(
            r"(?<![\d.,/:#+-])(?:\d{4}(?:[ -]?\d{4}){2}[ -]?\d{1,4}(?:[ -]?\d{3})?"
            r"|3\d{3}[ -]?\d{6}[ -]?\d{4,5})(?![\d/-])"
        ),
        is_card_number,
    ),
    SecretPattern(
        "IBAN",
        (),
        re.compile(
            r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?"
            r"(?![A-Za-z0-9])"
        ),
        is_iban,
    ),
    SecretPattern(
        "account number",
        ("routing", "aba"),
        re.compile(r"(?i)\b(?:routing|aba)\b[^\d\n]{0,24}(?P<secret>\d{9})(?!\d)"),
        is_bank_routing_number,
    ),
    SecretPattern(
        "account number",
        ("account", "acct", "konto", "cuenta", "compte", "rekening", "sort code"),
        re.compile(
            r"(?i)\b(?:(?:bank[ -]?)?(?:account|acct)\.?[ -]?(?:number|no|nr|num|#)\b"
            r"|konto(?:nummer|[ -]?nr\b)"
            r"|(?:n[úu]mero de cuenta|num[ée]ro de compte|rekeningnummer)|sort code)"
            r"\.?(?:[ \t]+[^\s:=\d]{1,20}){0,3}?[ \t]{0,3}(?:[:=#]|is|ist|es|est)?[ \t]{0,3}"
            r"(?P<secret>\d(?:[ -]?\d){5,16})(?![\d.,]*\d)"
        ),
    ),
)
