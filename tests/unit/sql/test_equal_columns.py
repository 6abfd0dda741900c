"""Which columns conjuncts make equal."""

from itertools import pairwise

from connstat_sql.sql.binder import ColumnField, EqualColumns
from connstat_sql.sql.binder.predicates import equality

NAMES = "hgfedcba"


def test_columns_that_equal_another_come_in_the_same_order_in_every_process() -> None:
    """The hash of a text is another in each, and the first of them gives a parameter its value."""
    fields = [ColumnField(1, name) for name in NAMES]
    conjuncts = [equality(left, right, left.column) for left, right in pairwise(fields)]
    equal = EqualColumns(conjuncts, lambda _: dict.fromkeys(NAMES, "VARCHAR"))
    assert "".join(field.column for field in equal.of(ColumnField(1, "d"))) == "dabcefgh"
