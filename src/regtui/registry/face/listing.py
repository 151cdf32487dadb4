"""Listing: what is in the registry, by query, by name and in SQL."""

from pathlib import Path
from typing import TYPE_CHECKING

from regtui.registry.face.verbs import Verbs

if TYPE_CHECKING:
    from regtui.registry.answers import (
        FileAnswer,
        ModelAnswer,
        TensorAnswer,
        VersionAnswer,
        VersionPage,
    )
    from regtui.registry.listing import Listing
    from regtui.registry.sql import Table
    from regtui.registry.totals import Totals


class ListingVerbs(Verbs):
    """Tell what is in the registry."""

    def versions(
        self, query: str = "", *, limit: int = 50, after: str | None = None
    ) -> "VersionPage":
        """Return a page of the versions that a query asks for.

        Args:
            query: In the query language.
            limit: Versions of the page.
            after: Cursor of the page before.

        Raises:
            QueryError: The query is malformed; it knows where.
            BadInput: The cursor is malformed or belongs to another query.
        """
        from regtui.registry import pages

        return pages.versions(self.context, query, limit=limit, after=after)

    def count(self, query: str = "") -> int:
        """Return how many versions a query asks for.

        Raises:
            QueryError: The query is malformed.
        """
        from regtui.registry import pages

        return pages.count(self.context, query)

    def totals(self) -> "Totals":
        """Return how many versions, models and open conflicts there are."""
        from regtui.registry import totals

        return totals.totals(self.context)

    def listing(self, query: str = "") -> "Listing":
        """Return the listing of a query: its pages by number, as they stand now.

        Args:
            query: In the query language.

        Raises:
            QueryError: The query is malformed; it knows where.
        """
        from regtui.registry import listing

        return listing.listing(self.context, query)

    def first_page(self, query: str = "") -> "list[VersionAnswer]":
        """Return the first page of a query, which needs no listing.

        Args:
            query: In the query language.

        Raises:
            QueryError: The query is malformed; it knows where.
        """
        from regtui.registry import listing

        return listing.first_page(self.context, query)

    def page(self, listing: "Listing", number: int) -> "list[VersionAnswer]":
        """Return a page of a listing; none past its end.

        Args:
            listing: The listing.
            number: From 0.
        """
        from regtui.registry.listing import page

        return page(self.context, listing, number)

    def place(self, listing: "Listing", version_id: str) -> int | None:
        """Return the row, from 0, at which a version stands now; None if it is not in the listing.

        Args:
            listing: The listing.
            version_id: Id of the version.
        """
        from regtui.registry.listing import place

        return place(self.context, listing, version_id)

    def version(self, reference: str) -> "VersionAnswer":
        """Return one version, whatever its state.

        Raises:
            NotFound: There is no such version.
            BadInput: The reference is malformed or names a model.
        """
        from regtui.registry import versions

        return versions.version(self.context, reference)

    def files(self, reference: str) -> "tuple[VersionAnswer, list[FileAnswer]]":
        """Return a version and what is known of its files, in the order of their paths.

        Raises:
            NotFound: There is no such version.
        """
        from regtui.registry import versions

        return versions.files(self.context, reference)

    def tensors(self, reference: str) -> "tuple[VersionAnswer, list[TensorAnswer]]":
        """Return a version and its tensors, by file and in the order of each file.

        Raises:
            NotFound: There is no such version.
        """
        from regtui.registry import versions

        return versions.tensors(self.context, reference)

    def models(self, pattern: str | None = None, *, state: str = "active") -> "list[ModelAnswer]":
        """Return the models, by name.

        Args:
            pattern: A name, a name's beginning up to a `/`, or a glob with `*`.
            state: Only those in this state; `any` for all.
        """
        from regtui.registry import models

        return models.models(self.context, pattern, state=state)

    def model(self, reference: str) -> "ModelAnswer":
        """Return one model.

        Raises:
            NotFound: There is no such model.
        """
        from regtui.registry import models

        return models.model(self.context, reference)

    def sql(self, statement: str) -> "Table":
        """Run one SELECT statement over the documented views, read-only.

        Raises:
            BadInput: It is no single SELECT statement, or it is malformed.
        """
        from regtui.registry import sql

        return sql.sql(self.context, statement)

    def write_parquet(self, statement: str, target: str | Path) -> int:
        """Write the rows of one SELECT statement into a Parquet file; return how many.

        Raises:
            BadInput: It is no single SELECT statement, or it is malformed.
            RegtuiError: The file can't be written.
        """
        from regtui.registry import sql

        return sql.write_parquet(self.context, statement, Path(target))
