"""A person with a model of their own in a hub on this machine."""

from helpers.mem_process import Mem
from helpers.taught_models import manifest_text


class Person:
    """A person with a manifest of their own, whose hub is on this machine."""

    def __init__(self, folder, hub):
        self.mem, self.hub = Mem(folder), hub
        self.models = self.mem.home / "data" / "mem" / "models"
        self.describes(manifest_text())

    def describes(self, text, name="tiny-reranker"):
        place = self.mem.home / ".config" / "mem" / "models" / f"{name}.toml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    @property
    def environment(self):
        return {"HF_ENDPOINT": self.hub.url, "HF_HUB_DISABLE_TELEMETRY": "1"}

    def __call__(self, *arguments, **environment):
        return self.mem.process(*arguments, **{**self.environment, **environment})

    def files(self):
        """Return the names in the models folder, without hidden ones."""
        return sorted(path.name for path in self.models.iterdir() if path.name[0] != ".")

    def work(self):
        """Return the names of intermediates."""
        return sorted(path.name for path in (self.models / ".work").iterdir())
