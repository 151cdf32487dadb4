-- Sync: a remote that decides, what waits for it, and what it decided.

drop table base.shadow;
drop table base.outbox;

-- One row where there is a remote; none where the replica decides for itself.
create table base.remote (
    url            varchar not null,
    registry_name  varchar not null,
    user_id        uuid    not null,
    user_name      varchar not null,
    roles          varchar not null,
    server_key     blob    not null,
    enrolled       uuid,
    anchor         varchar,
    cursor         varchar not null,
    staged         varchar,
    streams        varchar not null,
    refetch        varchar not null,
    acked_n        bigint  not null,
    synced         bigint,
    skew_us        bigint  not null,
    state          varchar not null,
    history        bigint
);

-- Operations that wait, that were sent, that were acknowledged and not yet read back, and that were
-- refused. What waits has no place in the replica's chain yet.
create table base.outbox (
    position    bigint  not null,
    id          uuid    not null,
    state       varchar not null,
    bytes       varchar not null,
    verdict     varchar,
    created     bigint  not null
);

-- The accepted document of each entity that a waiting operation touched; null where there is none.
create table base.shadow (id uuid not null, body varchar);

-- Pages of a walk that has not ended.
create table base.staged (page bigint not null, body varchar not null);

-- What the server signed: digests of verdicts, by which it takes back what it lost.
create table base.receipt (epoch varchar not null, verdicts varchar not null, signature varchar not null);
create table base.receipted (operation uuid not null, receipt bigint not null);

-- The server's certificates of version numbers.
create table base.certificate (version uuid not null, certificate varchar not null);

-- Which streams name a text, so that it goes with the last of them.
create table base.text_of (stream bigint not null, digest varchar not null);

-- What the accepted documents of a stream come to, as the server counts them.
create table base.total (stream bigint not null, documents bigint not null, total varchar not null);

-- Versions whose files the server has to get yet.
create table base.unsent (version bigint not null);

-- Stored files that have to go, because nothing that may still be read names them; null stands for
-- copies of the database that were made before that.
create table base.purged (digest varchar);
