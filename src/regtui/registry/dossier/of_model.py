"""The dossier of a model."""

from regtui.core.wording import count_text
from regtui.registry.answers import VersionAnswer
from regtui.registry.answers_production import PolicyAnswer
from regtui.registry.context import Context
from regtui.registry.dossier.blocks import Facts, Paragraph, Section, Table
from regtui.registry.dossier.of_version import described, said
from regtui.registry.dossier.production import deployed, in_production, moment, pointed, requests
from regtui.registry.figures import number_text
from regtui.registry.models import model
from regtui.registry.pages import versions
from regtui.registry.policies import policies
from regtui.registry.promotions import promotions
from regtui.registry.versions import version

VERSIONS = 50
"""Versions that are listed, the newest ones."""

REQUESTS = 50
"""Requests that are told, the newest ones."""


def of_model(context: Context, name: str) -> tuple[str, list[Section]]:
    """Return the name of a model and what is known of it.

    Raises:
        NotFound: There is no such model.
        BadInput: The name is malformed.
    """
    found = model(context, name)
    current = in_production(context, found.model)
    asked = promotions(context, found.model, state=None)
    facts = Facts(
        [
            ("versions", f"{found.versions}, of which {found.archived} are archived"),
            ("in production", "" if current is None else version(context, current).reference),
            ("state", found.state),
        ]
    )
    more = len(asked) - REQUESTS
    return found.model, [
        described(context, found.model),
        Section("Where it stands", [facts]),
        _versions(context, found.model),
        _policies(context, found.model),
        Section(
            "Approvals and gates",
            [
                *requests(asked[:REQUESTS]),
                *([Paragraph(f"{count_text(more, 'older request')} more.")] if more > 0 else []),
            ],
            "Nothing was asked for yet.",
        ),
        deployed(context, found.model),
        pointed(context, [f"{found.model}@{one}" for one in sorted(found.aliases)]),
        said(context, found.model),
    ]


def _versions(context: Context, name: str) -> Section:
    page = versions(context, f'model:"{name}"', limit=VERSIONS)
    rows = [_row(one) for one in page.versions]
    blocks = [Table(("Version", "Aliases", "Metrics", "Captured", "By", "Description"), rows)]
    more = [Paragraph(f"The newest {VERSIONS} are listed.")] if page.next is not None else []
    return Section("Versions", [*blocks, *more] if rows else [])


def _row(one: VersionAnswer) -> list[str]:
    metrics = ", ".join(f"{name}={number_text(v)}" for name, v in sorted(one.metrics.items()))
    return [
        one.reference,
        ", ".join(one.aliases),
        metrics,
        moment(one.created),
        one.author,
        one.description or "",
    ]


def _policies(context: Context, name: str) -> Section:
    rows = [_policy(one) for one in policies(context, name)]
    headings = ("Policy", "Models", "Protects", "Asks", "By")
    return Section("Policies", [Table(headings, rows)] if rows else [], "No policy binds it.")


def _policy(one: PolicyAnswer) -> list[str]:
    target = f"env:{one.target}" if one.target_kind == "environment" else str(one.target or "")
    asks = [
        f"{name} = {value}"
        for name, value in sorted(one.definition.items())
        if name not in {"alias", "environment", "description"}
    ]
    return [one.policy, one.models, target, "; ".join(asks), one.author]
