"""Secrets are masked, ordinary chat is not. Every secret here is made up, and put together here."""

import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memcli.text.redaction import count_secrets, redact

RNG = random.Random(20)


def made(length, letters=string.ascii_letters + string.digits):
    return "".join(RNG.choice(letters) for _ in range(length - 2)) + "7q"


def key_block(kind, lines=12):
    base = string.ascii_letters + string.digits + "+/"
    body = "\n".join(made(64, base) for _ in range(lines))
    return f"-----BEGIN {kind}PRIVATE KEY-----\n{body}\n-----END {kind}PRIVATE KEY-----"


HEX = "0123456789abcdef"
KEYS = [
    "AKIA" + "ABCDEFGHIJ234567",
    "ghp_" + made(36),
    "github_pat_" + made(60),
    "glpat-" + made(20),
    "xoxb-" + "1234567890-" + made(24),
    "sk_live_" + made(24),
    "sk-" + made(48),
    "sk-proj-" + made(80),
    "sk-ant-api03-" + made(90),
    "sk-or-v1-" + made(64, HEX),
    "AIza" + made(35),
    "hf_" + made(34),
    "gsk_" + made(52),
    "npm_" + made(36),
    "pypi-AgEIcHlwaS5vcmc" + made(80),
    "SG." + made(22) + "." + made(43),
    "dop_v1_" + "0a" * 32,
]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key[:8])
@pytest.mark.parametrize("text", ["{}", "use {} for it", 'key="{}"', "({}).", "it's\n{}\nok"])
def test_keys_that_say_whose_they_are_are_masked(key, text):
    masked = redact(text.format(key))

    assert key[8:] not in masked
    assert "[API key masked]" in masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("the wifi password is tulip-42x", "the wifi password is [password masked]"),
        ("password: Tr0ub4dor&3", "password: [password masked]"),
        ("Password: swordfish", "Password: [password masked]"),
        ("DB_PASSWORD='moonlight'", "DB_PASSWORD='[password masked]'"),
        ("das Passwort ist Kranich7!", "das Passwort ist [password masked]!"),
        ("la contraseña es gato*verde9", "la contraseña es [password masked]"),
        ("le mot de passe est canard88x", "le mot de passe est [password masked]"),
        ("a senha é azul#2021", "a senha é [password masked]"),
        ("пароль: крыша77", "пароль: [password masked]"),
        ("密码：k7Lp2qa", "密码：[password masked]"),
        ("パスワードは hana2024!x です", "パスワードは [password masked] です"),
        ("my password for the mail is now b1rd&nest", "my password for the mail is now"
         " [password masked]"),
        ("my PIN is 4417.", "my PIN is [password masked]."),
        ("postgres://ana:s3cr7x@db.example.org", "postgres://ana:[password masked]@db.example.org"),
        ("pay with 4111 1111 1111 1111 please", "pay with [card number masked] please"),
        ("5555555555554444", "[card number masked]"),
        ("amex 3782-822463-10005", "amex [card number masked]"),
        ("DE89 3704 0044 0532 0130 00 is mine", "[IBAN masked] is mine"),
        ("GB82WEST12345698765432", "[IBAN masked]"),
        ("routing number 021000021", "routing number [account number masked]"),
        ("account number: 00123 45678", "account number: [account number masked]"),
        ("meine Kontonummer ist 532013000", "meine Kontonummer ist [account number masked]"),
    ],
)  # fmt: skip
def test_passwords_and_numbers_are_masked_and_the_rest_stays(text, masked):
    assert redact(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer " + made(40),
        "eyJ" + made(20) + ".eyJ" + made(40) + "." + made(43),
        "1234567890" + ":AA" + made(33),
        "https://hooks.slack.com/services/T0" + made(8) + "/B0" + made(8) + "/" + made(24),
        "https://host.example/x?access_token=" + made(30) + "&page=2",
        "otpauth://totp/mem?secret=" + "JBSWY3DPEHPK3PXP",
    ],
)
def test_tokens_are_masked(text):
    assert redact(text).count("[token masked]") == 1
    assert redact(text) != text


def test_private_keys_are_masked_whole_and_in_pieces():
    key = key_block("RSA ")
    whole = f"here:\n{key}\nkeep it"

    assert redact(whole) == "here:\n[private key masked]\nkeep it"
    for cut in (len(key) // 3, len(key) // 2, len(key) - 70):
        for piece in (key[:cut], key[cut:]):
            longest = max(redact(piece).split(), key=len)
            assert len(longest) < 64, longest
    seed = "able bird calm door east frog gate hill iron jump kite lamp"
    assert redact(f"seed phrase: {seed}") == "seed phrase: [private key masked]"


@pytest.mark.parametrize(
    "text",
    [
        "I forgot my password again and the password is wrong.",
        "password: required",
        "A password should have at least 12 characters; my password was 8 characters.",
        "Is the password policy: minimum 8 characters?",
        "const password = getPassword(); user.password = req.body.password",
        'password = os.environ["DB_PASSWORD"]',
        "type=password name=pwd value=''",
        "My PIN is too short, I pinned 4417 photos",
        "Order 4111111111111112, tracking 1Z999AA10123456784",
        "call +49 30 1234 5678 9012 or 0800 123 4567",
        "1700000000000 and 1234567890123456",
        "uuid 123e4567-e89b-12d3-a456-426614174000, sha 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
        "GB22 of them, DE89 was a good year",
        "https://example.org/watch?v=dQw4w9WgXcQ&key=value",
        "the account number is on the letter; account 2021 is closed",
        "sk-learn, sk-a-b, ghp_short, hf_hub, the basic tutorials bearer",
        "The key is under the mat. The door code is 3826.",
        "skeleton-key: rust-and-salt-and-long-words-without-digits",
    ],
)
def test_ordinary_text_is_not_masked(text):
    assert redact(text) is text


def test_secrets_are_counted_by_kind_and_not_shown():
    assert count_secrets(["password: x9!kks", KEYS[0] + " " + KEYS[1], "hello"]) == {
        "password": 1,
        "API key": 2,
    }


@given(st.text(max_size=300))
def test_any_text_is_masked_without_an_error_and_once_is_enough(text):
    masked = redact(text)

    assert redact(masked) == masked


@pytest.mark.parametrize(
    "piece",
    [
        *("a", "1", "1 ", "password ", "password is ", "://", "eyJ.", "A" * 63 + "\n", "key="),
        *("-----BEGIN PRIVATE KEY-----", "DE89 ", "account number ", "seed phrase: abcd ", "sk-"),
        *("mot de passe  ", "api key is ", "token=a&", "bearer aaaaaaaaaaaaaaaaaaaa "),
    ],
)
def test_hostile_text_takes_linear_time(piece):
    from time import process_time

    text = piece * (200_000 // len(piece))
    began = process_time()
    redact(text)

    assert process_time() - began < 3
