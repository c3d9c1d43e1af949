"""What the person decided: `config.toml` and the environment."""

import pytest

from memcli.errors import InputError
from memcli.settings import Server, config_file, load_settings, manifests_folder, read_toml

ADDRESS = "http://localhost:8000/v1"


@pytest.fixture
def config(tmp_path, monkeypatch):
    """Write `config.toml` and return what the settings are then."""
    monkeypatch.setenv("MEM_CONFIG", str(tmp_path / "config.toml"))
    for role in ("EMBEDDER", "RERANKER", "SIFTER", "READER", "CHAT"):
        monkeypatch.delenv(f"MEM_{role}", raising=False)

    def config(text):
        (tmp_path / "config.toml").write_text(text, "utf-8")
        return load_settings()

    return config


def test_models_are_named_by_role(config):
    found = config('[models]\nembedder = "bge-m3"\nsifter = "none"\n')

    assert found.models == {"embedder": "bge-m3", "sifter": "none"}


def test_the_environment_goes_before_the_file(config, monkeypatch):
    monkeypatch.setenv("MEM_SIFTER", "memsifter-4b")
    monkeypatch.setenv("MEM_READER", "")

    found = config('[models]\nsifter = "none"\nreader = "memreader-4b"\n')

    assert found.models == {"sifter": "memsifter-4b", "reader": "memreader-4b"}


def test_a_server_is_found_by_the_address_of_its_model(config):
    found = config(
        f'[servers."{ADDRESS}/"]\nkey_env = "KEY"\nkey_file = "~/key"\nscheme = "Token"\n'
        "context = 4096\n"
    )

    assert found.server_for(f"{ADDRESS}#qwen3") == Server("KEY", "~/key", "Token", 4096)
    assert found.server_for("http://localhost:8001/v1#qwen3") == Server()


PEOPLE = '[people]\nme = ["Mira", "mira@work"]\n"Kaito Mori" = ["kaito", "+81 90"]\n'


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("KAITO", ("Kaito Mori", "kaito", "+81 90")),
        ("kaito mori", ("Kaito Mori", "kaito", "+81 90")),
        ("mira", ("me", "Mira", "mira@work", "user")),
        ("me", ("me", "Mira", "mira@work", "user")),
        ("Ann", ("Ann",)),
    ],
)
def test_a_person_is_found_by_each_of_their_names(config, name, names):
    found = config(PEOPLE)

    assert found.names_of(name) == names
    assert found.own_names == ("Mira", "mira@work")


def test_without_names_the_person_is_whom_assistants_call_the_user(config):
    assert config("").names_of("me") == ("me", "user")


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[modles]\n", "unknown key `modles`", "did you mean `models`"),
        ('[models]\nshifter = "x"\n', r"\[models\]: unknown key `shifter`", "did you mean"),
        ("[models]\nsifter = 3\n", r"\[models\]: `sifter` is 3, not a text", None),
        ('[people]\nme = "Mira"\n', r"\[people\]: `me` is 'Mira', not a list", None),
        ("[people]\nme = [3]\n", r"\[people\]: `me` is \[3\], not a list", None),
        ("models = 3\n", r"\[models\] is 3, not a table", None),
        (f'[servers."{ADDRESS}"]\nkey = "secret"\n', "unknown key `key`", "did you mean"),
        (f'[servers."{ADDRESS}"]\ncontext = -1\n', "`context` is -1, not a number", None),
        (f'[servers."{ADDRESS}"]\ncontext = true\n', "`context` is True, not a number", None),
        (f'[servers]\n"{ADDRESS}" = 3\n', "is 3, not a table", None),
        ("[models\n", "is not valid TOML: .*line 1", None),
    ],
)
def test_what_nobody_understands_is_an_error_that_names_file_and_key(config, text, message, hint):
    with pytest.raises(InputError, match=message) as wrong:
        config(text)

    assert "config.toml" in str(wrong.value)
    assert (wrong.value.hint or "").startswith(hint or "")
    assert "secret" not in f"{wrong.value} {wrong.value.hint}"


def test_without_a_file_everything_is_as_it_comes(tmp_path, monkeypatch):
    monkeypatch.delenv("MEM_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    assert dict(load_settings().servers) == {}
    assert manifests_folder() == config_file().parent / "models"


def test_a_file_that_was_named_has_to_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv("MEM_CONFIG", str(tmp_path / "gone.toml"))

    with pytest.raises(InputError, match=r"no settings at .*gone\.toml, which MEM_CONFIG names"):
        load_settings()


def test_bytes_that_are_no_text_and_folders_are_errors(config, tmp_path):
    (tmp_path / "config.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not UTF-8"):
        load_settings()

    (tmp_path / "config.toml").unlink()
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        load_settings()


@pytest.mark.parametrize("content", [f"a = {'9' * 5000}", "a = " + "[" * 5000 + "]" * 5000])
def test_a_hostile_file_is_one_clear_error(tmp_path, content):
    (tmp_path / "hostile.toml").write_text(content)

    with pytest.raises(InputError, match="is not valid TOML"):
        read_toml(tmp_path / "hostile.toml")
