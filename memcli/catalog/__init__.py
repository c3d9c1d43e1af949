"""The models that memcli knows, one manifest each, and the places of their files.

A manifest is a TOML file in `models/`, or in the person's own folder of manifests. It gives a
model's role, the prompts that it was trained on, the repository it is published in, and the
results it must reach before it is trusted. The weights are never part of memcli.

manifest          a manifest as a value: read this first
manifest_parser   from TOML to that value
catalog           all manifests, and those whose weights are on this machine
"""

from memcli.catalog.catalog import TORCH, Catalog, Weights
from memcli.catalog.manifest import (
    ROLES,
    EmbeddingSettings,
    ExpectedHeader,
    Manifest,
    ModelRole,
    PublishedFile,
    ReferenceRanking,
)

__all__ = [
    "ROLES",
    "TORCH",
    "Catalog",
    "EmbeddingSettings",
    "ExpectedHeader",
    "Manifest",
    "ModelRole",
    "PublishedFile",
    "ReferenceRanking",
    "Weights",
]
