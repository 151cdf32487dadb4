"""The list of promotion requests."""

from regtui.registry.answers_production import PromotionAnswer
from regtui.registry.figures import age_text
from regtui.registry.promotion_text import target_text
from regtui.tui.request_view import gate_sign, move_text, passed_text, state_text
from regtui.tui.safe_text import one_line
from regtui.tui.signs import signs
from regtui.tui.widgets.virtual_table import Column, Painted, VirtualTable


class RequestTable(VirtualTable[PromotionAnswer]):
    """Promotion requests, newest first."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 -- Textual's name
        super().__init__(_COLUMNS, row_id=lambda one: one.id, empty="reading …", id=id)


def _sign(one: PromotionAnswer) -> Painted:
    if one.state == "open":
        return (signs().outgoing, "accent") if one.requested else gate_sign(one.ready)
    return (signs().passed, "dim") if one.state == "applied" else ("-", "dim")


def _target(one: PromotionAnswer) -> Painted:
    return one_line(target_text(one)), "primary" if one.state == "open" else "dim"


def _move(one: PromotionAnswer) -> Painted:
    return one_line(move_text(one))


def _gates(one: PromotionAnswer) -> Painted:
    return passed_text(one.gates)


def _state(one: PromotionAnswer) -> Painted:
    return state_text(one)


def _author(one: PromotionAnswer) -> Painted:
    return one_line(one.author)


def _age(one: PromotionAnswer) -> Painted:
    return age_text(one.created), "dim"


_COLUMNS = (
    Column("sign", "", 1, _sign),
    Column("target", "Target", 24, _target, stretch=1, keeps_end=True),
    Column("move", "Move", 11, _move),
    Column("gates", "Gates", 5, _gates, "right"),
    Column("state", "State", 9, _state),
    Column("author", "By", 7, _author),
    Column("age", "Age", 4, _age, "right"),
)
