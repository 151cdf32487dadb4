-- The ground: documents as they were decided, the operations that made them, and typed tables that
-- can be rebuilt from the documents. Tables join on a local bigint key, because a page of metrics
-- among a million versions costs 21 ms by it and 136 ms by uuid. Times are milliseconds, except
-- where a name ends in _us.

create schema base;

create table base.schema_version (version integer not null, applied bigint not null);

-- One row: this replica, the tip of its chain, and what the authority counts.
create table base.replica (
    id          uuid    not null,
    registry    uuid    not null,
    created     bigint  not null,
    n           bigint  not null,
    tip         varchar not null,
    clock_us    bigint  not null,
    seq         bigint  not null,
    link        blob    not null,
    next_key    bigint  not null
);

create table base.actor (key bigint not null, id uuid not null, name varchar not null);

create table base.stream (
    key         bigint  not null,
    id          varchar not null,
    head        bigint  not null,
    count       bigint  not null,
    link        blob    not null,
    last_number integer not null
);

create table base.document (
    key         bigint  primary key,
    id          uuid    not null unique,
    kind        varchar not null,
    stream      bigint  not null,
    seq         bigint  not null,
    body        varchar not null
);

create table base.operation (
    seq         bigint  not null,
    id          uuid    not null,
    stream      bigint  not null,
    bytes       varchar not null,
    verdict     varchar not null,
    link        blob    not null,
    stream_link blob    not null
);

create table base.log (
    seq         bigint  not null,
    operation   uuid    not null,
    actor       bigint  not null,
    via         varchar not null,
    time        bigint  not null,
    entity      bigint  not null,
    kind        varchar not null,
    path        varchar not null,
    before      varchar,
    after       varchar,
    result      varchar not null,
    reason      varchar
);

create table base.text (digest varchar not null, value varchar not null);

-- Used by sync: accepted documents under optimistic ones, and operations not yet accepted.
create table base.shadow (key bigint not null, body varchar);

create table base.outbox (
    position    bigint  not null,
    id          uuid    not null,
    state       varchar not null,
    bytes       varchar not null,
    base        varchar,
    verdict     varchar,
    created     bigint  not null
);

-- The projection.
create table base.model (
    key            bigint  not null,
    id             uuid    not null,
    name           varchar not null,
    minted         varchar not null,
    generation     integer not null,
    display_name   varchar not null,
    description    varchar,
    state          varchar not null,
    primary_metric varchar,
    direction      varchar,
    author         bigint  not null,
    created        bigint  not null,
    search         varchar not null
);

create table base.version (
    key         bigint  not null,
    model       bigint  not null,
    number      integer,
    id          uuid    not null,
    short       bigint  not null,
    slot        bigint,
    digest      varchar not null,
    size        bigint  not null,
    files       integer not null,
    state       varchar not null,
    author      bigint  not null,
    created     bigint  not null,
    description varchar,
    source      varchar,
    search      varchar not null
);

-- What versions are named by: a short id, and a slot that stands for model and number, since an index
-- over two columns is not used. They turn a scan of 6 to 8 ms at a million versions into 2 ms and cost
-- a write some 10 ms there.
create index version_short on base.version (short);
create index version_slot on base.version (slot);

create table base.alias (
    key         bigint  not null,
    model       bigint  not null,
    name        varchar not null,
    version     bigint,
    moved       bigint  not null
);

create table base.conflict (
    key         bigint  not null,
    entity      bigint  not null,
    path        varchar not null,
    open        boolean not null
);

create table base.metric (version bigint not null, name varchar not null, value double, step bigint);
create table base.param  (version bigint not null, name varchar not null, value varchar, number double);
create table base.tag    (entity bigint not null, name varchar not null, value varchar not null);
create table base.parent (version bigint not null, id uuid not null);
create table base.input  (version bigint not null, name varchar not null, uri varchar not null);

-- The manifest of each version; the content digest vouches for it.
create table base.file (
    version     bigint  not null,
    path        varchar not null,
    size        bigint  not null,
    executable  boolean not null,
    digest      blob    not null
);

-- What `regtui sql` and scripts read.
create view models as
select m.name                                   as model,
       m.display_name,
       m.description,
       m.state,
       m.primary_metric,
       m.direction,
       a.name                                   as author,
       make_timestamp(m.created * 1000)         as created,
       m.id,
       m.key                                    as model_key
  from base.model m
  left join base.actor a on a.key = m.author;

create view versions as
select m.name                                   as model,
       v.number,
       v.id,
       ':' || substr(replace(v.id::varchar, '-', ''), 1, 10) as short_id,
       v.state,
       v.description,
       v.size,
       v.files,
       v.digest,
       v.source,
       a.name                                   as author,
       make_timestamp(v.created * 1000)         as created,
       v.key                                    as version_key
  from base.version v
  join base.model m on m.key = v.model
  left join base.actor a on a.key = v.author;

create view aliases as
select m.name                                   as model,
       l.name                                   as alias,
       v.number,
       v.id                                     as version_id,
       make_timestamp(l.moved * 1000)           as moved
  from base.alias l
  join base.model m on m.key = l.model
  join base.version v on v.key = l.version;

create view metrics as
select m.name as model, v.number, t.name as metric, t.value, t.step, v.id as version_id
  from base.metric t
  join base.version v on v.key = t.version
  join base.model m on m.key = v.model;

create view params as
select m.name as model, v.number, t.name as param, t.value, t.number as numeric, v.id as version_id
  from base.param t
  join base.version v on v.key = t.version
  join base.model m on m.key = v.model;

create view tags as
select m.name as model, v.number, t.name as tag, t.value, v.id as version_id
  from base.tag t
  left join base.version v on v.key = t.entity
  join base.model m on m.key = coalesce(v.model, t.entity);

create view files as
select m.name as model, v.number, f.path, f.size, f.executable, lower(hex(f.digest)) as digest,
       v.id as version_id
  from base.file f
  join base.version v on v.key = f.version
  join base.model m on m.key = v.model;

create view parents as
select m.name as model, v.number, t.id as parent_id, v.id as version_id
  from base.parent t
  join base.version v on v.key = t.version
  join base.model m on m.key = v.model;

create view inputs as
select m.name as model, v.number, t.name as input, t.uri, v.id as version_id
  from base.input t
  join base.version v on v.key = t.version
  join base.model m on m.key = v.model;

create view operations as
select o.seq,
       o.id,
       o.bytes ->> '$.kind'                                          as kind,
       a.name                                                        as actor,
       o.bytes ->> '$.via'                                           as via,
       make_timestamp(cast(o.verdict ->> '$.now' as bigint))         as decided,
       o.verdict ->> '$.result'                                      as result,
       o.bytes ->> '$.entity'                                        as entity,
       o.bytes
  from base.operation o
  left join base.actor a on a.id = cast(o.bytes ->> '$.actor' as uuid);

create view history as
select l.seq,
       make_timestamp(l.time * 1000)                                 as time,
       w.name                                                        as actor,
       l.via,
       l.kind,
       coalesce(m.name, n.name, p.name)                              as model,
       v.number,
       a.name                                                        as alias,
       l.path,
       l.before,
       l.after,
       l.result,
       l.reason,
       l.operation,
       d.id                                                          as entity
  from base.log l
  left join base.actor w on w.key = l.actor
  join base.document d on d.key = l.entity
  left join base.version v on v.key = l.entity
  left join base.model m on m.key = v.model
  left join base.model n on n.key = l.entity
  left join base.alias a on a.key = l.entity
  left join base.model p on p.key = a.model;
