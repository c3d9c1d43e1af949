"""Verification of models behind an address, for `mem models verify` and `mem doctor`."""

from memcli.backends.server.endpoint import parse_endpoint
from memcli.backends.server.reranking.verdicts import ServedVerdict, VerdictFile
from memcli.catalog import ROLES, ModelRole
from memcli.cli.models.inventory import ModelEntry, ModelStatus
from memcli.cli.models.open import model_loader, verdicts_path
from memcli.cli.models.resolve import ModelResolver
from memcli.errors import UsageError
from memcli.weights.verify_served import verify_served


def verify_addresses(addresses: list[str], role: str | None) -> list[ModelEntry]:
    """Verify served models, each in the roles that the settings give it.

    Args:
        addresses: the models, such as `http://127.0.0.1:8080/v1#name`.
        role: the only role to verify; None for those of the settings, else `reranker`.

    Raises:
        UsageError: it is no address of a model, or there is no such role.
        InputError: its key cannot be read.
    """
    resolver, entries = ModelResolver(), []
    for address in addresses:
        for each in _roles(resolver, address, role):
            source = resolver.find_served(address, each)
            verdict = verify_served(source, model_loader())
            status: ModelStatus = "verified" if verdict.passed else "failed"
            entries.append(ModelEntry(address, each, "", 0, status, verdict=verdict))
    return entries


def last_verdict(address: str) -> ServedVerdict | None:
    """Return the last verdict about a served reranker; None if it was never verified."""
    endpoint = parse_endpoint(address)
    return VerdictFile(verdicts_path()).latest(endpoint.url, endpoint.model)


def _roles(resolver: ModelResolver, address: str, role: str | None) -> list[ModelRole]:
    if role:
        roles: list[ModelRole] = [each for each in ROLES if each == role]
        if not roles:
            raise UsageError(f"`{role}` is not one of {', '.join(ROLES)}")
        return roles
    return [each for each in ROLES if resolver.configured.get(each) == address] or ["reranker"]
