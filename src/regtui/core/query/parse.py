"""From text to a query, by hand and top-down.

    query    = { term }                                 separated by spaces, all have to match
    term     = [ "-" ] ( phrase | word | field operator value { "," value } )
    field    = name [ "." ( name | phrase ) ]
    operator = ":" | "=" | "!=" | ">" | ">=" | "<" | "<="
    phrase   = a quote, any characters with a quote inside doubled, a quote

The operator is glued to field and value. A bare word is text to look for; one that has an operator
in it (a URL, a path of Windows) goes in quotes. Backslashes mean nothing, so that such paths can be
pasted. `sort:` names the order and is collected apart.

Any text whatsoever gives a `Query` or a `QueryError`. The numbers of terms, values and sort keys
are bounded, because each becomes part of one statement.
"""

from typing import NamedTuple, cast

from regtui.core.query import fields, values
from regtui.core.query.fields import EQUALITY, SORT, SORT_EXAMPLE, Field
from regtui.core.query.scan import QUOTE, Scanner
from regtui.core.query.syntax import Condition, Operator, Query, SortKey, Term, Text
from regtui.core.query.values import Written

MOST_TERMS = 64
MOST_VALUES = 64
MOST_SORT_KEYS = 8


def parse_query(text: str) -> Query:
    """Return the query that the text means; an empty text is the query that matches everything.

    Raises:
        QueryError: It can't be understood; the error says where and why.
    """
    return _Parser(text).query()


class _Item(NamedTuple):
    """One written value."""

    text: str
    quoted: bool
    start: int
    end: int


class _Head(NamedTuple):
    """What stands before an operator: a field and perhaps the name of a metric or the like."""

    field: str
    name: str
    start: int
    end: int
    quoted: bool


class _Parser(Scanner):
    """One method for each rule of the grammar."""

    def query(self) -> Query:
        self.check_characters()
        terms: list[Term] = []
        sort: list[SortKey] = []
        while self.skip_spaces():
            start = self.position
            found = self._term()
            if isinstance(found, Term):
                terms.append(found)
            else:
                sort += found
            if len(terms) > MOST_TERMS:
                self.fail(f"a query has at most {MOST_TERMS} terms", start)
            if len(sort) > MOST_SORT_KEYS:
                self.fail(f"a query has at most {MOST_SORT_KEYS} sort keys", start)
        return Query(tuple(terms), tuple(sort))

    def _term(self) -> Term | list[SortKey]:
        start = self.position
        negated = self.take("-")
        if self.at_end_of_word():
            self.fail("nothing follows the -", start, hint='write "-" in quotes to search for it')
        if self.peek() == QUOTE:
            return Term(Text(self._whole_phrase()), negated)
        head = self._head(stops="")
        operator = self.operator()
        if operator is None:
            if head.quoted:
                self.fail("an operator has to follow", self.position, 0, f"{head.field}.…>0.9")
            return Term(Text(self.text[head.start : head.end]), negated)
        if not head.field:
            hint = "write field:value without spaces, or put text in quotes"
            self.fail(f"nothing stands before the {operator}", head.start, hint=hint)
        if head.field.lower() == SORT and not head.name:
            if negated or operator not in {"=", ":"}:
                self.fail("the order is written sort:-created,name", start)
            return self._sort_keys()
        return Term(self._condition(head, operator), negated)

    def _condition(self, head: _Head, written: str) -> Condition:
        field = self._field(head)
        operator = cast("Operator", "=" if written == ":" else written)
        if operator not in field.operators:
            self.fail(f"{field.name} takes only : and !=", head.end, len(written), field.example)
        items = self._items(head.start)
        if len(items) > 1 and operator not in EQUALITY:
            self.fail(f"{operator} takes one value", items[1].start, items[1].end - items[1].start)
        read = []
        for item in items:
            try:
                value = values.read(field, Written(item.text, item.quoted, operator, head.name))
            except values.BadValue as reason:
                name = self.text[head.start : head.end]
                message = f"{name}{written}{self.text[item.start : item.end]}: {reason}"
                self.fail(message, item.start, item.end - item.start)
            read.append(value)
        name = "" if field.kind == "pair" else head.name
        return Condition(field.name, operator, tuple(read), name)

    def _field(self, head: _Head) -> Field:
        field = fields.find(head.field)
        length = head.end - head.start
        if field is None:
            near = fields.near(head.field)
            meant = f"did you mean {' or '.join(near)}? " if near else ""
            hint = f"{meant}put it in quotes to search for it as text"
            self.fail(f"there is no field {head.field}", head.start, length, hint)
        self._check_name(field, head)
        return field

    def _check_name(self, field: Field, head: _Head) -> None:
        dotted = head.end - head.start > len(head.field)
        if field.naming == "none" and dotted:
            length = head.end - head.start
            self.fail(f"{field.name} takes no name after it", head.start, length, field.example)
        if not head.name and (dotted or field.naming == "required"):
            self.fail(f"{field.name} needs a name", head.end, 0, f"such as {field.example}")

    def _sort_keys(self) -> list[SortKey]:
        keys = []
        while True:
            start = self.position
            descending = self.take("-")
            head = self._head(stops=",")
            if head.start == head.end:
                self.fail("a sort key is missing", start, 0, f"such as {SORT_EXAMPLE}")
            keys.append(self._sort_key(head, descending=descending))
            if not self.take(","):
                break
        if not self.at_end_of_word():
            self.fail("a comma or space has to follow a sort key", self.position)
        return keys

    def _sort_key(self, head: _Head, *, descending: bool) -> SortKey:
        field = fields.find(head.field)
        if field is None or not field.sortable:
            near = fields.near(head.field, sorting=True)
            hint = f"did you mean {' or '.join(near)}?" if near else ""
            message = f"there is no sort key {head.field}"
            if field is not None:
                names = [name for name, entry in fields.FIELDS.items() if entry.sortable]
                message, hint = f"{field.name} can't be sorted by", f"take {', '.join(names)}"
            self.fail(message, head.start, head.end - head.start, hint)
        self._check_name(field, head)
        return SortKey(field.name, head.name, descending)

    def _head(self, stops: str) -> _Head:
        """Read up to an operator, a space or one of the stops, over a quoted name if there is."""
        start = self.position
        while not self.at_end_of_word() and self.peek() not in stops + QUOTE:
            if self.operator_here():
                break
            self.position += 1
        field, _, name = self.text[start : self.position].partition(".")
        quoted = self.peek() == QUOTE
        if quoted:
            if self.text[self.position - 1 : self.position] != "." or not field:
                self.fail(
                    "a quote stands inside a word",
                    self.position,
                    hint="put all of it in quotes, with a quote inside doubled",
                )
            name += self.phrase()
        return _Head(field, name, start, self.position, quoted)

    def _items(self, start: int) -> list[_Item]:
        items = []
        while True:
            items.append(self._item(start))
            if not self.take(","):
                break
        if not self.at_end_of_word():
            self.fail("a comma or space has to follow the quote", self.position)
        if len(items) > MOST_VALUES:
            self.fail(f"a term has at most {MOST_VALUES} values", start, self.position - start)
        return items

    def _item(self, term: int) -> _Item:
        start = self.position
        quoted = self.peek() == QUOTE
        if quoted:
            text = self.phrase()
        else:
            while not self.at_end_of_word() and self.peek() != ",":
                if self.peek() == QUOTE:
                    self.fail("a quote stands inside a value", self.position, hint="quote it all")
                self.position += 1
            text = self.text[start : self.position]
        if not text:
            written = self.text[term:start]
            self.fail(f"{written} has an empty value", start, self.position - start)
        return _Item(text, quoted, start, self.position)

    def _whole_phrase(self) -> str:
        start = self.position
        phrase = self.phrase()
        if not phrase:
            self.fail("there is nothing in the quotes", start, 2)
        if not self.at_end_of_word():
            self.fail("a space has to follow the quote", self.position)
        return phrase
