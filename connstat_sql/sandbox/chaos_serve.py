"""`python -m connstat_sql.sandbox.chaos_serve`: serves the sandbox until it is interrupted.

What it prints is the connection to put into `connstat.toml`.
"""

import threading
from collections.abc import Callable

from connstat_sql.sandbox.server import Sandbox


def serve(write: Callable[[str], None], stopped: threading.Event) -> None:
    """Serves, says where, and returns when stopped or interrupted."""
    with Sandbox() as sandbox:
        connection = sandbox.connections["chaos"]
        lines = [f'{name} = "{value}"' for name, value in connection.items()]
        write("\n".join(["[connections.chaos]", *lines]))
        try:
            stopped.wait()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    serve(lambda text: print(text, flush=True), threading.Event())
