"""The models memcli knows, one manifest each, and where their files are.

A manifest is a TOML file in `models/`, or in the person's own folder of them. It says what role a
model plays, in which words it was taught to play it, where it is published, and what it must be
able to do before it is trusted. The weights are never part of memcli.
"""

from memcli.catalog.catalog import TORCH, Catalog, Weights
from memcli.catalog.manifest import (
    ROLES,
    Artefact,
    Check,
    Embedding,
    Manifest,
    ModelRole,
    PublishedFile,
    Shape,
)

__all__ = [
    "ROLES",
    "TORCH",
    "Artefact",
    "Catalog",
    "Check",
    "Embedding",
    "Manifest",
    "ModelRole",
    "PublishedFile",
    "Shape",
    "Weights",
]
