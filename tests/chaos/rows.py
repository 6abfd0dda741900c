"""The rows of the chaos API: drawn from a seed and their number, so any row can be made alone."""

from random import Random

COLOURS = ("amber", "blue", "green", "red")
SHADES = ("dark", "light", "pale")
_THINGS = ("anchor", "beacon", "compass", "dynamo", "engine", "flywheel", "girder", "hinge")

Row = dict[str, object]


def row(seed: int, number: int) -> Row:
    """The row of a number, which may be below zero for one that was inserted later."""
    rng = Random(f"{seed}/{number}")
    shade, colour, thing = rng.choice(SHADES), rng.choice(COLOURS), rng.choice(_THINGS)
    cents = rng.randrange(100_000)
    return {
        "number": number,
        "name": f"{shade}-{colour}-{thing}-{number}",
        "colour": colour,
        "shade": shade,
        "price": f"{cents // 100}.{cents % 100:02}",
        "made_at": f"2026-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}T08:30:00Z",
        "in_stock": rng.random() < 0.5,
        "tags": sorted(rng.sample(_THINGS, rng.randint(0, 3))),
        "note": f"the {thing} is {shade} {colour}",
    }
