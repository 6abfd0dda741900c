"""The made-up provider: its definitions, and what its tables look like from SQL."""

from __future__ import annotations

PROVIDER = """
provider: zoo
description: Groups, what is in them, and days
"""
SERVICE = """
service: w
resources:
  groups:
    description: Groups
    columns: {g: VARCHAR, size: INTEGER}
    methods:
      list: {path: /groups}
  subs:
    description: Parts of a group
    columns: {sub: VARCHAR, kind: VARCHAR}
    params:
      grp: {from: zoo.w.groups.g}
    methods:
      list: {path: "/groups/{grp}/subs", no_row: [404]}
  items:
    description: Things, by group and part
    columns: {n: INTEGER, note: VARCHAR}
    params:
      grp: {from: zoo.w.groups.g}
      part: {from: zoo.w.subs.sub, with: {grp: grp}}
      name: {}
    methods:
      get: {path: "/groups/{grp}/subs/{part}/items/{name}", rows: {shape: object}, no_row: [404]}
      list:
        path: "/groups/{grp}/subs/{part}/items"
        no_row: [404]
        fills: {name: name}
        filters: {note: note}
      of_group: {path: "/groups/{grp}/items", no_row: [404], fills: {part: part, name: name}}
  days:
    description: Amounts of a day
    columns: {amount: INTEGER, tag: VARCHAR}
    params:
      day: {type: DATE}
    methods:
      list: {path: /days, query: {day: "{day}"}}
  codes:
    description: Labels by number
    columns: {label: VARCHAR, day: DATE}
    params:
      code: {type: INTEGER}
      lang: {}
    methods:
      list:
        path: "/codes/{code}"
        query: {lang: "{lang}"}
        filters: {day: {gte: since, lt: before}}
"""
ANNEX = """\
  marks:
    description: Marks on a thing, three levels down
    columns: {mark: VARCHAR, worth: INTEGER}
    params:
      grp: {from: zoo.w.groups.g}
      part: {from: zoo.w.subs.sub, with: {grp: grp}}
      name: {from: zoo.w.items.name, with: {grp: grp, part: part}}
    methods:
      list: {path: "/groups/{grp}/subs/{part}/items/{name}/marks", no_row: [404]}
  toys:
    description: The same rows by key, by group, and all of them in pages
    columns: {colour: VARCHAR, weight: INTEGER}
    params:
      toy: {}
      grp: {from: zoo.w.groups.g}
    methods:
      get: {path: "/toys/{toy}", rows: {shape: object}, no_row: [404], fills: {grp: grp}}
      list: {path: "/groups/{grp}/toys", no_row: [404], fills: {toy: toy}}
      all:
        path: /toys
        rows: found
        fills: {toy: toy, grp: grp}
        paging: {style: token, request: after, response: next, size: {query: most, max: 2}}
  hues:
    description: Colours of toys; asks what a list of toys asks
    columns: {toy: VARCHAR, colour: VARCHAR}
    params:
      grp: {from: zoo.w.groups.g}
    methods:
      list: {path: "/groups/{grp}/toys", no_row: [404]}
  lines:
    description: What a group has written down, in pages
    columns: {seq: INTEGER, line: VARCHAR}
    params:
      grp: {from: zoo.w.groups.g}
    methods:
      list:
        path: "/groups/{grp}/lines"
        no_row: [404]
        paging: {style: offset, request: skip, last_page: short, size: {query: most, max: 3}}
        order: {seq: {ascending: {sort: seq}, descending: {sort: -seq}}}
        filters: {seq: {gt: above, lte: {query: up_to, value: "max:{value}"}}}
  wares:
    description: For sale, by state; the photo is told one by one
    columns: {price: INTEGER, kind: VARCHAR, photo: VARCHAR}
    params:
      grp: {from: zoo.w.groups.g}
      ware: {}
      state: {default: new, allowed: [new, used, lost]}
    methods:
      get:
        path: "/groups/{grp}/wares/{ware}"
        query: {state: "{state}"}
        rows: {shape: object}
        no_row: [404]
      list:
        path: "/groups/{grp}/wares"
        query: {state: "{state}"}
        no_row: [404]
        columns: {photo: null}
        fills: {ware: ware}
        details: get
        filters: {kind: {query: kind, several: comma}}
"""
WHOLE = SERVICE + ANNEX

TABLES: dict[str, dict[str, str]] = {
    "groups": {"g": "VARCHAR", "size": "INTEGER"},
    "subs": {"sub": "VARCHAR", "kind": "VARCHAR", "grp": "VARCHAR"},
    "items": {
        "n": "INTEGER", "note": "VARCHAR", "grp": "VARCHAR", "part": "VARCHAR", "name": "VARCHAR",
    },
    "days": {"amount": "INTEGER", "tag": "VARCHAR", "day": "DATE"},
    "codes": {"label": "VARCHAR", "day": "DATE", "code": "INTEGER", "lang": "VARCHAR"},
    "marks": {
        "mark": "VARCHAR", "worth": "INTEGER", "grp": "VARCHAR", "part": "VARCHAR",
        "name": "VARCHAR",
    },
    "toys": {"colour": "VARCHAR", "weight": "INTEGER", "toy": "VARCHAR", "grp": "VARCHAR"},
    "hues": {"toy": "VARCHAR", "colour": "VARCHAR", "grp": "VARCHAR"},
    "lines": {"seq": "INTEGER", "line": "VARCHAR", "grp": "VARCHAR"},
    "wares": {
        "price": "INTEGER", "kind": "VARCHAR", "photo": "VARCHAR", "grp": "VARCHAR",
        "ware": "VARCHAR", "state": "VARCHAR",
    },
}  # fmt: skip
PARAMS: dict[str, tuple[str, ...]] = {
    "groups": (), "subs": ("grp",), "items": ("grp", "part", "name"), "days": ("day",),
    "codes": ("code", "lang"), "marks": ("grp", "part", "name"), "toys": ("grp", "toy"),
    "hues": ("grp",), "lines": ("grp",), "wares": ("grp", "ware"),
}  # fmt: skip
ORPHANS: dict[str, tuple[str, ...]] = {"days": ("day",), "codes": ("code", "lang")}
"""Parameters that have no parent: the query has to give them values."""
STATE, STATES = "new", ("new", "used")
"""The state that stands where a query speaks of none, and those that rows have."""

LOCALS: dict[str, dict[str, str]] = {
    "notes": {"x": "VARCHAR", "y": "VARCHAR", "k": "INTEGER", "d": "DATE"},
    "mixed": {"x": "INTEGER", "y": "BIGINT", "d": "TIMESTAMP", "s": "VARCHAR"},
    "nothing": {"x": "VARCHAR", "k": "INTEGER"},
}
"""Plain tables of the session: rows with NULLs and duplicates, other types, and no rows at all."""

TEXTS = ("a", "A", "5", "05", "é b", "x/y?", "a''b")
NUMBERS = (1, 5, 7)
DAYS = ("2026-01-01", "2026-01-02", "2026-02-01")
HOSTS = {"conn_a": "a.test", "conn_b": "b.test"}
CONNECTIONS = (*HOSTS, "zoo", "Conn_a", "zz")
"""What queries compare `_connection` with."""
