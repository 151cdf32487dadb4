-- Production: policies, checks and their runs, promotion requests, environments, deployments, usage.

create table base.definition (
    key          bigint  not null,
    id           uuid    not null,
    kind         varchar not null,
    name         varchar not null,
    models       varchar not null,
    state        varchar not null,
    target_kind  varchar,
    target       varchar,
    author       bigint  not null,
    created      bigint  not null
);

create table base.check_run (
    key         bigint  not null,
    id          uuid    not null,
    version     bigint  not null,
    name        varchar not null,
    definition  uuid,
    outcome     varchar not null,
    counts      boolean not null,
    runner      varchar not null,
    started     bigint  not null,
    ended       bigint  not null,
    told        bigint  not null,
    author      bigint  not null
);

create table base.figure (run bigint not null, name varchar not null, value double not null);

create table base.promotion (
    key          bigint  not null,
    id           uuid    not null,
    model        bigint  not null,
    version      bigint,
    target_kind  varchar not null,
    target       varchar not null,
    state        varchar not null,
    auto         boolean not null,
    glass        varchar,
    reason       varchar,
    author       bigint  not null,
    created      bigint  not null
);

create table base.review (
    promotion  bigint  not null,
    author     bigint  not null,
    verdict    varchar not null,
    role       varchar not null,
    text       varchar not null,
    said       bigint  not null
);

create table base.environment (
    key          bigint  not null,
    id           uuid    not null,
    name         varchar not null,
    kind         varchar,
    protected    boolean not null,
    description  varchar,
    expect       varchar,
    state        varchar not null,
    author       bigint  not null,
    created      bigint  not null
);

create table base.deployment (
    key          bigint  not null,
    id           uuid    not null,
    model        bigint  not null,
    version      bigint  not null,
    environment  varchar not null,
    target       varchar not null,
    state        varchar not null,
    since        bigint,
    until        bigint,
    replaces     uuid,
    replaced_by  uuid,
    rollback_of  uuid,
    promotion    uuid,
    url          varchar,
    reason       varchar,
    expect       varchar,
    author       bigint  not null,
    created      bigint  not null
);

-- Which definitions of checks the owner of this machine lets run, by their digest.
create table base.trusted (digest varchar not null, since bigint not null);
