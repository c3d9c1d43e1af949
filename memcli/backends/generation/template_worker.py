"""A process that renders chat templates, which are programs of strangers.

It has little memory, and whoever waits for it ends it when it takes too long. Each line of its
input is a JSON object with `template` and `fields`; each line of its output is one with `text` or
`error`.
"""

import json
import resource
import sys
from contextlib import suppress
from datetime import datetime
from typing import Any

MOST_MEMORY = 1 << 30  # bytes of address space
LONGEST_TEXT = 16 << 20  # characters of a rendered dialogue

_FAILURES = (  # a template may fail in these ways, too
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    MemoryError,
)


def render(template: str, fields: dict[str, Any]) -> dict[str, str]:  # Any: as JSON has it
    """Render a template in a sandbox; return the text or the error by its name."""
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _to_json
    try:
        parts = environment.from_string(template).generate(
            add_generation_prompt=True,
            enable_thinking=True,
            raise_exception=refuse,
            strftime_now=lambda form: datetime.now().astimezone().strftime(form),
            **fields,
        )
        text, length = [], 0
        for part in parts:
            length += len(part)
            if length > LONGEST_TEXT:
                return {"error": f"renders more than {LONGEST_TEXT:,} characters"}
            text.append(part)
    except MemoryError:
        return {"error": "takes too much memory"}
    except (TemplateError, *_FAILURES) as error:
        return {"error": f"fails: {error}"[:1000]}
    return {"text": "".join(text)}


def _to_json(
    value: Any,  # Any: any value of a template
    indent: int | None = None,
    *,
    ensure_ascii: bool = False,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """Encode as transformers does, whose templates these are; Jinja's own filter is for HTML."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _serve() -> None:
    with suppress(ValueError, OSError):  # not every system can limit it
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    for line in sys.stdin.buffer:
        request = json.loads(line)
        reply = json.dumps(render(request["template"], request["fields"]))
        sys.stdout.write(f"{reply}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
