"""The audit and the report where a server decides: told here, with or without the network."""

from pathlib import Path

from tests.sync.test_production import POLICY, put_policies, weights
from tests.sync.world import Person


def test_who_asked_and_who_approved_is_told_in_every_home(
    ann: Person, ben: Person, tmp_path: Path
) -> None:
    for content in ("one", "two"):
        ann.registry.capture(weights(tmp_path, content), model="nlp/bert")
    ann.sync()
    put_policies(ann, [POLICY])
    asked = ann.registry.request_promotion("nlp/bert@2", "production", reason="better")
    ann.sync()
    ben.sync()
    ben.registry.review(asked.request, "approve", "fine")
    (waiting,) = (row for row in ben.registry.audit_rows("nlp/bert") if row.waiting)
    assert (waiting.kind, waiting.gates, waiting.link) == ("promotion.review", [], None)
    ben.sync()
    ann.sync()

    for person in (ann, ben):
        rows = {row.kind: row for row in person.registry.audit_rows("nlp/bert@production")}
        moved = rows["promotion.review"]
        assert (moved.actor, moved.approved_by, moved.version) == ("ben", ["ben"], "nlp/bert@2")
        assert "1 of 1 approval" in {one.reason for one in moved.gates}
        assert moved.link is None
        assert moved.stream_link is not None
        assert rows["promotion.request"].actor == "ann"
        text = person.registry.report_text("nlp/bert@production")
        assert "| ben | maintainer | approve |" in text
        assert "1 of 1 approval" in text
