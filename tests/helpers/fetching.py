"""The repository that the tests of downloads use, and a shorthand for the download."""

from random import Random

from huggingface_hub import constants

from memcli.weights.hub.download import download_files
from memcli.weights.hub.listing import list_files

WEIGHTS = Random(1).randbytes(300_000)
CONFIG = b'{"hidden_size": 64}'
FILES = {"config.json": CONFIG, "model.safetensors": WEIGHTS, "onnx/model.bin": b"onnx"}
REPOSITORY = "ann/tiny"
WHOLE = {"config.json": CONFIG, "model.safetensors": WEIGHTS}


def address(monkeypatch, url):
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)


class Seen:
    """What progress was told."""

    def __init__(self):
        self.calls = []

    def __call__(self, *call):
        self.calls.append(call)

    def of(self, name):
        return [done for told, done, _ in self.calls if told == name]


def fetched(*names, **options):
    """Return what arrived, by name."""
    listing = list_files(REPOSITORY, "main")
    folder = download_files(listing, names, **{"progress": Seen(), **options})
    return {name: (folder / name).read_bytes() for name in names}


def partial(cache):
    [path] = cache.rglob("*.incomplete")
    return path
