"""The markup around one user message, from a model's own chat template."""

from datetime import datetime
from pathlib import Path

from memcli.errors import BackendError

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\n' + message.content + '<|im_end|>\n' }}"
    "{% endfor %}"
    "{{ '<|im_start|>assistant\n' }}"
)
THOUGHT = "<think>\n"

_PLACE = "MEM-1f0c2a9e77-MESSAGE"  # stands where the message goes; no template spells it


def around_message(template: str | None, marks: dict[str, str], path: Path) -> tuple[str, str]:
    """Return the markup before and after a user's message, up to the open thought of the answer.

    Args:
        template: Jinja source; None takes ChatML.
        marks: values of bos_token and eos_token.
        path: of the model, for the error.

    Raises:
        BackendError: the template cannot be rendered, or does not show the message once.
    """
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )

    def refuse(message: str) -> None:
        raise TemplateError(message)

    try:
        rendered = environment.from_string(template or CHATML).render(
            messages=[{"role": "user", "content": _PLACE}],
            add_generation_prompt=True,
            raise_exception=refuse,
            strftime_now=lambda form: datetime.now().astimezone().strftime(form),
            **marks,
        )
    # A template is a program of a stranger: these are the ways in which one fails.
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise BackendError(f"the chat template of {path} fails: {error}") from error
    before, *after = rendered.split(_PLACE)
    if len(after) != 1:
        raise BackendError(
            f"the chat template of {path} shows the message {len(after)} times, not once"
        )
    opened = after[0].rstrip().endswith("<think>")
    return before, after[0] if opened else after[0] + THOUGHT
