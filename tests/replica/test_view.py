"""The operations of one unit of work see one another's effects."""

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
