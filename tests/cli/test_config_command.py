"""`mem config`: every setting, where it comes from, and how to change it."""

import pytest
from helpers.mem_process import Run

from memcli.cli.models.open import choose_layers
from memcli.cli.typed_values import parse_layers

SERVER = "servers.http://localhost:8000/v1"


def config(mem):
    return mem.home / ".config" / "mem" / "config.toml"


def values(mem, **environment):
    listed = mem("config", "--json", **environment).json["values"]
    return {one["key"]: (one["value"], one["from"]) for one in listed}


def test_every_value_is_told_with_where_it_comes_from(mem):
    mem.write("home/.config/mem/config.toml", '[models]\nembedder = "a"\nreader = "b"\n')

    found = values(mem, MEM_EMBEDDER="c")

    assert found == {
        "config": (str(config(mem)), "default"),
        "database": (str(mem.database), "MEM_DB"),
        "models_folder": (str(mem.home / "data" / "mem" / "models"), "default"),
        "gpu_layers": ("auto", "default"),
        "models.embedder": ("c", "MEM_EMBEDDER"),
        "models.reranker": ("", "default"),
        "models.sifter": ("", "default"),
        "models.reader": ("b", str(config(mem))),
        "models.chat": ("", "default"),
        "database.key_command": ("", "default"),
        "database.key_file": ("", "default"),
        "database.keyring": ("", "default"),
    }
    assert f"models.reader         b  ({config(mem)})" in mem("config").out.splitlines()


def test_a_setting_is_written_and_all_else_stays_as_it_was(mem):
    before = '# mine\n[models]  # by role\nreader = "b"   # good\n\n# the end\n'
    mem.write("home/.config/mem/config.toml", before)

    done = mem("config", "set", "models.reader", "c")
    assert done == Run(0, f"models.reader = c  ({config(mem)})\n")
    assert mem("config", "set", "models.chat", "d").code == 0

    text = config(mem).read_text()
    assert '# mine\n[models]  # by role\nreader = "c"   # good\n' in text
    assert "# the end\n" in text
    assert values(mem)["models.chat"] == ("d", str(config(mem)))
    removed = mem("config", "unset", "models.chat")
    assert removed == Run(0, f"models.chat removed  ({config(mem)})\n")
    assert config(mem).read_text().replace('"c"', '"b"') == before


def test_a_file_is_made_that_only_the_person_can_read(mem):
    mem("config", "set", "models.reader", "b")

    assert config(mem).read_text() == '[models]\nreader = "b"\n'
    assert config(mem).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in config(mem).parent.iterdir()] == ["config.toml"]


def test_a_server_is_set_by_its_address(mem):
    mem("config", "set", f"{SERVER}.key_env", "VLLM_KEY")
    mem("config", "set", f"{SERVER}.context", "16384")

    assert values(mem)[f"{SERVER}.context"] == ("16384", str(config(mem)))
    assert config(mem).read_text() == (
        '[servers."http://localhost:8000/v1"]\nkey_env = "VLLM_KEY"\ncontext = 16384\n'
    )
    mem("config", "unset", f"{SERVER}.context")
    mem("config", "unset", f"{SERVER}.key_env")
    assert not [key for key in values(mem) if key.startswith("servers")]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("set", "models.embeder", "x"), 4, "unknown key `embeder`\nhint: did you mean `emb"),
        (("set", "model.embedder", "x"), 4, "unknown key `model`\nhint: did you mean `mod"),
        (("set", f"{SERVER}.key_evn", "x"), 4, "`key_evn`\nhint: did you mean `key_env`"),
        (("set", f"{SERVER}.context", "many"), 4, "`context` is 'many', not a number of tokens"),
        (("set", f"{SERVER}.context", "0"), 4, "`context` is 0, not a number of tokens"),
        (("set", "embedder", "x"), 4, "`embedder` is not a setting"),
        (("set", "models.a.b", "x"), 4, "`models.a.b` is not a setting"),
        (("unset", "models.chat"), 4, "`models.chat` is not set in"),
        (("set", "models.chat"), 2, "wrong arguments for `mem config set`"),
        (("unset",), 2, "wrong arguments for `mem config unset`"),
        (("unset", "models.chat", "x"), 2, "wrong arguments for `mem config unset`"),
        (("set", "models.chat", "x", "y"), 4, "`models.chat` has one value, not 2"),
        (("set", "config", "x"), 4, "`config` is the file itself\nhint: `export MEM_CONFIG=...`"),
        (("set", "gpu_layers", "many"), 4, "`gpu_layers` is 'many', not a whole number"),
        (("set", "gpu_layers", "-1"), 2, "no such option: -1"),
        (("unset", "people"), 4, "`people` is not set in"),
        (("get",), 2, "wrong arguments for `mem config get`"),
        (("get", "models.embeder"), 4, "`models.embeder` is not a setting"),
        (("get", "nothing"), 4, "`nothing` is not a setting"),
        (("edit", "models.chat"), 2, "wrong arguments for `mem config edit`"),
        (("list", "models.chat"), 2, "wrong arguments for `mem config list`"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_changes(mem, arguments, status, said):
    mem.write("home/.config/mem/config.toml", '[models]\nreader = "b"\n')

    done = mem("config", *arguments)

    assert (done.code, done.out) == (status, "")
    assert said in done.err
    assert config(mem).read_text() == '[models]\nreader = "b"\n'


def test_a_file_that_is_no_toml_is_left_alone(mem):
    mem.write("home/.config/mem/config.toml", "[models")

    done = mem("config", "set", "models.chat", "x")

    assert (done.code, "is not valid TOML" in done.err) == (4, True)
    assert config(mem).read_text() == "[models"


def test_a_link_to_the_file_stays_one(mem):
    mem.write("dotfiles/mem.toml", "")
    config(mem).parent.mkdir(parents=True)
    config(mem).symlink_to(mem.folder / "dotfiles" / "mem.toml")

    assert mem("config", "set", "models.chat", "x").code == 0

    assert config(mem).is_symlink()
    assert (mem.folder / "dotfiles" / "mem.toml").read_text() == '[models]\nchat = "x"\n'


def test_a_file_that_cannot_be_written_is_named(mem):
    mem.write("home/.config", "in the way")

    done = mem("config", "set", "models.chat", "x")

    assert (done.code, done.out) == (4, "")
    assert "Not a directory" in done.err


def test_the_file_that_mem_config_names_is_made_when_it_is_written(mem):
    file = mem.folder / "own.toml"

    assert mem("config", "set", "models.chat", "x", MEM_CONFIG=str(file)).code == 0

    assert values(mem, MEM_CONFIG=str(file))["models.chat"] == ("x", str(file))
    assert values(mem, MEM_CONFIG=str(file))["config"] == (str(file), "MEM_CONFIG")


def test_the_names_of_a_person_are_a_list(mem):
    mem("config", "set", "people.me", "Mira Santos", "mira")
    mem("config", "set", "people.Kaito Mori", "kaito")

    assert config(mem).read_text() == (
        '[people]\nme = ["Mira Santos", "mira"]\n"Kaito Mori" = ["kaito"]\n'
    )
    assert values(mem)["people.me"] == ("Mira Santos, mira", str(config(mem)))
    assert mem("config", "get", "people.me") == Run(0, "Mira Santos\nmira\n")
    mem("config", "unset", "people.Kaito Mori")
    assert mem("config", "get", "people.Kaito Mori").code == 3


def test_one_setting_is_printed_alone(mem):
    mem("config", "set", "models.chat", "d")

    assert mem("config", "get", "models.chat") == Run(0, "d\n")
    assert mem("config", "get", "database") == Run(0, f"{mem.database}\n")
    assert mem("config", "get", "models.sifter") == Run(3, err="mem: `models.sifter` is not set\n")


def test_the_file_is_edited_and_checked(mem):
    good, bad = (mem.folder / name for name in ("good", "bad"))
    for editor, line in ((good, '[models]\\nchat = "x"'), (bad, "[models")):
        editor.write_text(f"#!/bin/sh\nprintf '{line}' > \"$1\"\n")
        editor.chmod(0o755)

    done = mem.process("config", "edit", EDITOR=str(good))
    wrong = mem.process("config", "edit", EDITOR=str(bad))

    assert (done.code, done.err) == (0, f"mem: {config(mem)}: changed\n")
    assert (wrong.code, "is not valid TOML" in wrong.err) == (4, True)
    assert mem("config", "edit", EDITOR="no-such-editor").code == 4


def test_every_value_that_is_listed_can_be_set_and_removed(mem):
    mem("config", "set", f"{SERVER}.key_env", "KEY")
    mem("config", "set", "people.me", "Mira")
    listed = values(mem)
    given = {
        "gpu_layers": "7",
        "database.keyring": "true",
        f"{SERVER}.context": "4096",
        f"{SERVER}.redact": "true",
    }

    for key in listed:
        if key == "config":  # it says where the others are
            continue
        value = given.get(key, str(mem.folder / "there"))
        assert mem("config", "set", key, value).code == 0, key
        without = {"MEM_DB": ""}
        assert mem("config", "get", key, **without).out == f"{value}\n"
        assert values(mem, **without)[key] == (value, str(config(mem)))
        assert mem("config", "unset", key).code == 0, key


def test_the_database_and_the_folder_of_models_can_be_set(mem):
    other = mem.folder / "other" / "chats.db"
    mem("config", "set", "database", "other/chats.db")
    mem("config", "set", "models_folder", "~/weights")
    mem.write("a.json", [{"role": "user", "content": "The door code is 3826."}])

    assert mem("ingest", "a.json", MEM_DB="").code == 0

    assert (other.exists(), mem.database.exists()) == (True, False)
    assert "3826" in mem("search", "door", MEM_DB="").out
    assert mem("search", "door").code == 5  # the variable goes before the file
    assert mem("models", "path").out == f"{mem.home / 'weights'}\n"


def test_layers_on_the_gpu_can_be_set_and_an_option_goes_before(mem, monkeypatch):
    mem("config", "set", "gpu_layers", "20")
    monkeypatch.setenv("MEM_CONFIG", str(config(mem)))

    layers = [choose_layers(given) for given in (None, parse_layers("auto"), parse_layers("3"))]

    assert layers == [20, None, 3]


def test_a_table_can_be_printed_and_removed(mem):
    mem("config", "set", f"{SERVER}.key_env", "KEY")
    mem("config", "set", f"{SERVER}.context", "4096")
    mem("config", "set", "people.me", "Mira", "mira")

    assert mem("config", "get", "people").out == "people.me = Mira, mira\n"
    assert f"{SERVER}.context = 4096\n" in mem("config", "get", SERVER).out
    assert mem("config", "unset", SERVER).code == 0
    assert mem("config", "unset", "people").code == 0
    assert mem("config", "get", "people").code == 3
    assert not [key for key in values(mem) if key.startswith(("servers", "people"))]
