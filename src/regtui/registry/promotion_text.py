"""Promotion requests in a few words, for whoever shows them."""

from regtui.registry.answers_production import PromotionAnswer


def target_text(request: PromotionAnswer) -> str:
    """Return what is to move: `nlp/bert@production`, or `nlp/bert in production`."""
    if request.target_kind == "environment":
        return f"{request.model} in {request.target}"
    return f"{request.model}@{request.target}"


def glass_text(request: PromotionAnswer) -> str:
    """Return what breaking glass did to a request, or is asked to do."""
    passed = "to be passed" if request.requested else "passed"
    return f"{passed} by an admin without its gates"


def state_words(request: PromotionAnswer) -> str:
    """Return the state of a request, with that of a version that is put away: `open, archived`."""
    state = "requested" if request.requested else request.state
    put_away = request.state == "open" and request.version_state in {"archived", "deleted"}
    return f"{state}, {request.version_state}" if put_away else state
