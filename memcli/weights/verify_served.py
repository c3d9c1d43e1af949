"""Verification of served models: each does its role's work once, with a known result."""

from datetime import UTC, datetime

from memcli.backends.model_loader import ModelLoader, ServedModel
from memcli.errors import BackendError
from memcli.protocols import Message
from memcli.weights import role_trials
from memcli.weights.record import Verdict
from memcli.weights.role_trials import Findings


def verify_served(source: ServedModel, loader: ModelLoader) -> Verdict:
    """Return the verdict about a served model; a reranker's is remembered for a day.

    Args:
        source: the model.
        loader: opens it; its `verdicts` name the file that remembers.
    """
    at = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        if source.manifest.role == "reranker":
            found = loader.open_served_reranker(source).verify()
            advice = (f"change the server: {found.hint}",) if found.hint else ()
            if found.passed:
                return Verdict(True, found.at, (), (*found.facts, *advice))
            return Verdict(False, found.at, (*found.faults, *advice), found.facts)
        findings = _try_role(source, loader)
    except BackendError as error:
        advice = (error.hint,) if error.hint else ()
        return Verdict(False, at, (str(error), *advice))
    return Verdict(not findings.faults, at, tuple(findings.faults), tuple(findings.facts))


def _try_role(source: ServedModel, loader: ModelLoader) -> Findings:
    known = source.manifest
    match known.role:
        case "embedder":
            return role_trials.try_embedder(loader.open_embedder(source), known.checks, "")
        case "sifter":
            sifter = loader.open_sifter(source)
            return role_trials.try_sifter(sifter, known.prompt["message"], run_twice=False)
        case "reader":
            return role_trials.try_reader(loader.open_reader(source), run_twice=False)
    chat = loader.open_chat(source)
    greeting = (Message("user", "Say hello."),)
    list(chat.write(greeting, thought_tokens=0, answer_tokens=16))
    return Findings(facts=["it wrote an answer"])
