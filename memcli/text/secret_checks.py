"""Checks that keep ordinary text from being taken for a secret: checksums and other conditions."""

import re

# Letters of a country and the length of its IBANs, from the registry of SWIFT.
_IBAN_LENGTHS = {
    each[:2]: int(each[2:])
    for each in (
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27"
        " DK18 DO28 EE20 EG29 ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28"
        " IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22"
        " MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24 RS22 RU33 SA24"
        " SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30"
    ).split()
}
_CARD_PREFIXES = re.compile(  # and their lengths, of the large networks
    r"4\d{12}(?:\d{3})?(?:\d{3})?|5[1-5]\d{14}|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d{12}"
    r"|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|35\d{14}|6(?:011|4[4-9]\d|5\d\d)\d{12}"
    r"|62\d{14,17}|(?:5018|5020|5038|5893|6304|6759|6761|6762|6763)\d{9,15}|220[0-4]\d{12}"
)
_PLACEHOLDER = re.compile(
    r"(?i)password|passwort|secret|your|example|placeholder|changeme|redacted|masked|hidden|env\b"
    r"|^(?:pass|pwd|user|null|none|true|false|string|str|text|data|input|value|hash|salt|req|request"
    r"|self|this|form|body|config|settings|process|options|params|field|label|name|type|todo)(?:$|[._])"
)
_CODE = re.compile(r"[()\[\]{}<>]|^\$|%s|\*{2,}|x{3,}$|^[.…_-]+$|^https?:|::|->|=>")
_MEASURE = re.compile(  # of a password, not one: "is 12 characters", "was 50%"
    r"(?i)^[\d.,:/–-]*\d(?:st|nd|rd|th|x|%|\+|am|pm)?$|^\d+[-–+]?[^\W\d_]+$|^[^\W\d_]+[-–]\d{1,2}$"
)
_STATES = frozenset(  # plain words that forms and texts have after `Password:`
    "required optional missing invalid incorrect correct wrong changed unknown enter forgot"
    " forgotten reset protected weak strong update updated manager management security"
    " policies generator sharing storage hashing encryption authentication confirm"
    " confirmation anything something minimum maximum please varchar textfield boolean number"
    " default hashed encrypted plaintext string integer nothing yes same usual erforderlich"
    " vergessen falsch".split()
)


def is_card_number(text: str) -> bool:
    """Return whether digits, perhaps in groups, are a card's: its network's form and Luhn's sum."""
    digits = re.sub(r"[ -]", "", text)
    if not _CARD_PREFIXES.fullmatch(digits) or len(set(digits)) < 2:
        return False
    doubled = "0246813579"  # of each digit twice, the sum of its digits
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(int(doubled[int(each)]) for each in even)) % 10 == 0


def is_iban(text: str) -> bool:
    """Return whether a text is an IBAN: the length of its country, and 1 as the rest by 97."""
    compact = text.replace(" ", "").upper()
    if _IBAN_LENGTHS.get(compact[:2]) != len(compact):
        return False
    moved = compact[4:] + compact[:4]
    return int("".join(str(int(each, 36)) for each in moved)) % 97 == 1


def is_bank_routing_number(digits: str) -> bool:
    """Return whether nine digits are an American routing number, by its checksum."""
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, (3, 7, 1) * 3, strict=True))
    return weighted % 10 == 0 and digits != "000000000"


def is_random(text: str) -> bool:
    """Return whether a text may be made by chance, as keys are: letters and digits, many unlike."""
    digits = sum(each.isdigit() for each in text)
    letters = sum(each.isalpha() for each in text)
    return digits >= 2 and letters >= 2 and len(set(text)) >= 8 and not _PLACEHOLDER.search(text)


def has_random_part(text: str) -> bool:
    """Return whether a part of a text between signs is long and looks random."""
    return any(len(part) >= 14 and is_random(part) for part in re.split(r"[_-]", text))


def is_password(text: str, *, quoted: bool = False, alone: bool = False) -> bool:
    """Return whether a text behind a word for passwords is one.

    Args:
        text: one word.
        quoted: whether it stands in quotes, or where only a password can stand.
        alone: whether it is the only word behind the colon.
    """
    value = text.rstrip(".,;:!?)\\")
    if len(value) < 4 or _CODE.search(value) or _PLACEHOLDER.search(value):
        return False
    if quoted:
        return value.casefold() not in _STATES
    if alone:
        return value.casefold() not in _STATES and len(set(value)) > 3
    if _MEASURE.search(value):
        return value.isdigit() and len(value) >= 6
    has_digit = any(each.isdigit() for each in value)
    has_sign = any(each in "!@#$%^&*+=~?" for each in value[:-1])
    return (has_digit or has_sign) and any(each.isalpha() for each in value)
