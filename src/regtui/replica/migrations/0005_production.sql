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

-- What was heard of deployments where this replica decides: by minutes, older ones by hours.
create table base.usage (
    deployment  uuid    not null,
    bucket      bigint  not null,
    requests    bigint  not null,
    errors      bigint  not null,
    latency     varchar not null,
    beat        bigint  not null
);

-- Which definitions of checks the owner of this machine lets run, by their digest.
create table base.trusted (digest varchar not null, since bigint not null);

create view policies as
select d.name as policy, d.models, d.target_kind, d.target, d.state, a.name as author,
       make_timestamp(d.created * 1000) as created, d.id
  from base.definition d
  left join base.actor a on a.key = d.author
 where d.kind = 'policy';

create view checks as
select d.name as "check", d.models, d.state, a.name as author,
       make_timestamp(d.created * 1000) as created, d.id
  from base.definition d
  left join base.actor a on a.key = d.author
 where d.kind = 'check';

create view check_runs as
select m.name as model, v.number, r.name as "check", r.outcome, r.counts, r.runner,
       make_timestamp(r.started * 1000) as started, make_timestamp(r.ended * 1000) as ended,
       a.name as author, v.id as version_id, r.id
  from base.check_run r
  join base.version v on v.key = r.version
  join base.model m on m.key = v.model
  left join base.actor a on a.key = r.author;

create view figures as
select m.name as model, v.number, r.name as "check", f.name as figure, f.value, r.id as check_run
  from base.figure f
  join base.check_run r on r.key = f.run
  join base.version v on v.key = r.version
  join base.model m on m.key = v.model;

create view requests as
select m.name as model, v.number, p.target_kind, p.target, p.state, p.reason,
       p.glass as break_glass, a.name as author, make_timestamp(p.created * 1000) as created,
       v.id as version_id, p.id
  from base.promotion p
  join base.model m on m.key = p.model
  left join base.version v on v.key = p.version
  left join base.actor a on a.key = p.author;

create view reviews as
select p.id as request, a.name as author, r.verdict, r.role, r.text,
       make_timestamp(r.said * 1000) as said
  from base.review r
  join base.promotion p on p.key = r.promotion
  left join base.actor a on a.key = r.author;

create view environments as
select e.name as environment, e.kind, e.protected, e.description, e.expect, e.state, e.id
  from base.environment e;

create view deployments as
select m.name as model, v.number, d.environment, d.target, d.state,
       make_timestamp(d.since * 1000) as since, make_timestamp(d.until * 1000) as until,
       a.name as author, d.url, d.reason, d.promotion as request, d.replaces, d.replaced_by,
       d.rollback_of, v.id as version_id, d.id
  from base.deployment d
  join base.model m on m.key = d.model
  join base.version v on v.key = d.version
  left join base.actor a on a.key = d.author;
