"""The operations of one unit of work see one another's effects."""

from pathlib import Path

import regtui
from regtui.core.access import Actor
from regtui.core.identity import model_id
from regtui.core.operations import Change, EditBody, ModelBody
from regtui.replica.unit import Replica


def test_an_edit_between_two_creations_in_one_unit_is_kept(replica: Replica, ann: Actor) -> None:
    model = model_id("ranker", 0)
    with replica.writing(ann, "api", "s") as authority:
        authority.submit("model.create", model, model, ModelBody("ranker", 0, {}))
        edit = EditBody({"description": Change("D")})
        authority.submit("model.edit", model, model, edit)
        tagged = ModelBody("ranker", 0, {"tags/a": Change("1")})
        authority.submit("model.create", model, model, tagged)

    with replica.reading() as connection:
        rows = connection.execute("select description from base.model").fetchall()

    assert rows == [("D",)]


def test_what_is_deployed_of_many_versions_is_asked_once(tmp_path: Path) -> None:
    registry = regtui.open(tmp_path / "home")
    ids = []
    for text in ("one", "two"):
        (tmp_path / text).write_text(text)
        ids.append(registry.capture(tmp_path / text, model="bert").version.id)
    registry.put_environment("staging", {})
    registry.deploy("bert@1", "staging")
    with registry.context.writing() as authority:
        view = authority.view
        view.load_about(ids, "deployment")
        connection, view._connection = view._connection, None  # type: ignore[assignment]
        found = [len(view.about(one, "deployment")) for one in ids]
        view._connection = connection
    assert found == [1, 0]
