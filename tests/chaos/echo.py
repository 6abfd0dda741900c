"""Tables of the chaos API that say what was asked, and small families to walk through."""

from decimal import Decimal
from random import Random

from connstat_sql.demo.wire import DemoResponse, Handler, json_answer, token_at
from tests.chaos.pages import Page, marked, page_size, start_of
from tests.chaos.rows import Row, row
from tests.chaos.wire import Asked, Refused

THINGS = 12
_SMALL = 1000


def _arguments(asked: Asked, first: str, second: str) -> DemoResponse:
    return json_answer(
        {
            "segments": [first, second],
            "path": asked.path,
            "query": asked.query,
            "received": {name: values[0] for name, values in asked.arguments_given.items()},
            "headers": asked.headers_shown,
            "call": asked.number,
            "attempt": asked.attempt,
        }
    )


def _filters(asked: Asked) -> DemoResponse:
    """Rows that fit what is asked for: `name` takes several by commas, `shade` by repetition."""
    arguments = asked.arguments_given
    wanted = {
        "name": [value for text in arguments.get("name", ()) for value in text.split(",")],
        "colour": arguments.get("colour", [])[:1],
        "shade": arguments.get("shade", []),
    }
    wanted = {name: values for name, values in wanted.items() if values}
    seed, start, size = asked.whole("seed", 7), start_of(asked, "filters"), page_size(asked)
    rows = [row(seed, number) for number in range(asked.whole("total", 25))]
    fitting = [
        thing for thing in rows if all(thing[name] in values for name, values in wanted.items())
    ]
    page = Page(start, fitting[start : start + size], size, start + size < len(fitting))
    token = token_at("filters", page.end) if page.has_more else ""
    items = [{**thing, "filters": wanted} for thing in marked(asked, page)]
    return json_answer({"items": items, "next_page_token": token})


def _sorted(asked: Asked) -> DemoResponse:
    """Rows by `sort` and `direction`, as SQL sorts: NULL last both ways, text byte by byte."""
    key, direction = asked.argument("sort", "number"), asked.argument("direction", "asc")
    if key not in ("number", "name", "price") or direction not in ("asc", "desc"):
        raise Refused("sort is one of number, name and price, direction one of asc and desc")
    seed, start, size = asked.whole("seed", 7), start_of(asked, "sorted"), page_size(asked)
    rows = [row(seed, number) for number in range(asked.whole("total", 25))]
    for thing in rows[4::5]:
        thing["price"] = None
    known = [thing for thing in rows if thing[key] is not None]
    known.sort(key=lambda thing: _rank(thing[key]), reverse=direction == "desc")
    ordered = [*known, *(thing for thing in rows if thing[key] is None)]
    page = Page(start, ordered[start : start + size], size, start + size < len(ordered))
    arguments = {
        name: asked.argument(name) for name in ("sort", "direction") if asked.argument(name)
    }
    items = [{**thing, "sorted_by": arguments} for thing in marked(asked, page)]
    token = token_at("sorted", page.end) if page.has_more else ""
    return json_answer({"items": items, "next_page_token": token})


def _rank(value: object) -> tuple[Decimal, bytes]:
    text = str(value)
    is_number = text.replace(".", "").isdecimal()
    return Decimal(text if is_number else 0), text.encode()


# two ways to the same rows


def _things(asked: Asked) -> DemoResponse:
    things = [_thing_at(number) for number in range(THINGS)]
    shown = [{name: thing[name] for name in ("id", "name")} for thing in things]
    return json_answer({"items": [{**thing, **_answered(asked, "list")} for thing in shown]})


def _thing(asked: Asked, thing_id: str) -> DemoResponse:
    for thing in map(_thing_at, range(THINGS)):
        if thing["id"] == thing_id:
            return json_answer({**thing, **_answered(asked, "get")})
    return json_answer({"message": f"there is no thing {thing_id}"}, 404)


def _thing_at(number: int) -> Row:
    drawn = row(7, number)
    return {"id": f"thing-{number + 1}", "name": drawn["name"], "note": drawn["note"]}


def _answered(asked: Asked, method: str) -> Row:
    return {"answered_by": method, "call": asked.number}


# groups, their members, and each member's own page


def _groups(asked: Asked) -> DemoResponse:
    total, seed = asked.whole("total", 3, highest=_SMALL), asked.whole("seed", 7)
    groups = [
        {"id": f"group-{number + 1}", "name": row(seed, number)["name"], "call": asked.number}
        for number in range(total)
    ]
    return json_answer({"items": groups})


def _members(asked: Asked, group_id: str) -> DemoResponse:
    members = members_of(group_id)
    if not members:
        return json_answer({"message": f"there is no group {group_id}"}, 404)
    return json_answer({"items": [{**member, "call": asked.number} for member in members]})


def _member(asked: Asked, group_id: str, member_id: str) -> DemoResponse:
    for member in members_of(group_id):
        if member["id"] == member_id:
            note = f"{member_id} is of {group_id}"
            return json_answer({"name": member["name"], "note": note, "call": asked.number})
    return json_answer({"message": f"{group_id} has no member {member_id}"}, 404)


def members_of(group_id: str) -> list[Row]:
    """Two to four, with the same ids in every group; nothing for what is no group."""
    digits = group_id.removeprefix("group-")
    if not (digits.isascii() and digits.isdecimal() and 0 < int(digits[:5]) <= _SMALL):
        return []
    seed = int(digits)
    count = Random(f"members of {seed}").randint(2, 4)
    return [{"id": f"m-{at + 1}", "name": row(seed, at)["name"]} for at in range(count)]


ECHOES: dict[str, Handler] = {
    "echo/arguments/{}/{}": _arguments,
    "echo/filters": _filters,
    "echo/sorted": _sorted,
    "echo/things": _things,
    "echo/things/{}": _thing,
    "family/groups": _groups,
    "family/groups/{}/members": _members,
    "family/groups/{}/members/{}": _member,
}
