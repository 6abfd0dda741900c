"""`python -m tests.chaos.serve`: serves the sandbox until it is interrupted.

What it prints is the connection to put into `connstat.toml`; the definitions are in
`tests/chaos/providers`, for `--providers`.
"""

import threading
from collections.abc import Callable

from tests.chaos.sandbox import ChaosSandbox, chaos_of


def serve(write: Callable[[str], None], stopped: threading.Event) -> None:
    """Serves, says where, and returns when stopped or interrupted."""
    with ChaosSandbox() as sandbox:
        connection = chaos_of(sandbox)
        lines = [f'{name} = "{value}"' for name, value in connection.items()]
        write("\n".join(["[connections.chaos]", *lines]))
        try:
            stopped.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    serve(lambda text: print(text, flush=True), threading.Event())
