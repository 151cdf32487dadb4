-- Retention: whose files were released. A row is made before the first file of an archived version goes
-- under a retention rule, so that nobody takes what is missing then for damage. It goes when the same
-- content is captured again. It belongs to this replica and follows from no document.
create table base.released (version bigint not null, since bigint not null);
