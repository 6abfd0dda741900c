"""Whether this Python is new enough, in words; every Python 3 can read and run this file."""

import sys

OLDEST = (3, 11)


def refusal(version: "tuple[int, ...]") -> str:
    """What to say of a Python of this version, or "" where it will do."""
    if version >= OLDEST:
        return ""
    oldest, this = ".".join(map(str, OLDEST)), ".".join(map(str, version[:3]))
    return f"connstat-sql needs Python {oldest} or newer, and this is Python {this}"


if __name__ == "__main__":
    sys.exit(refusal(sys.version_info[:3]) or 0)
