"""What the body of a request says."""

from __future__ import annotations

import re
from dataclasses import dataclass

PLACEHOLDER = re.compile(r"\{([^\W\d][\w.-]*)\}")
"""A parameter in a text of a body; any other brace is text, as in the query of a GraphQL API."""


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A JSON object or array with parameters in its texts.

    A text that is one parameter and nothing else becomes a value of that parameter's type.
    """

    text: str
    params: tuple[str, ...] = ()
