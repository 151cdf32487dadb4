-- Trust: who signed what, what files hold, and the entities of comments, datasets and conflicts.

-- The key of each replica that ever wrote here, by which its signatures are checked. The id of a
-- replica is a digest of its key, so a row proves itself.
create table base.enrolment (replica uuid not null, public_key blob not null, created bigint not null);

-- One row a unit of work: the replica's signature over the tip of its chain and the registry's link.
create table base.signature (seq bigint not null, replica uuid not null, n bigint not null, signature blob not null);

-- Operations that take back others, so that undo finds its way without reading every operation.
create table base.undo (seq bigint not null, operation uuid not null, undoes uuid not null);

-- What is known of a stored file; rebuilt whenever a better reader comes. `short` are the leading 60
-- bits of the digest, for the same reason as in base.version.
create table base.layout (
    key       bigint  not null,
    short     bigint  not null,
    digest    blob    not null,
    reader    integer not null,
    format    varchar not null,
    safety    varchar not null,
    tensors   integer not null,
    facts     varchar not null
);
create index layout_short on base.layout (short);

create table base.tensor (
    layout    bigint  not null,
    position  integer not null,
    name      varchar not null,
    dtype     varchar not null,
    shape     varchar not null,
    size      bigint  not null,
    digest    blob
);

create table base.piece (
    layout    bigint  not null,
    "offset"  bigint  not null,
    size      bigint  not null,
    digest    blob    not null
);

create table base.comment (
    key       bigint  not null,
    entity    bigint  not null,
    author    bigint  not null,
    created   bigint  not null,
    edited    bigint,
    text      varchar not null,
    state     varchar not null
);

create table base.dataset (
    key         bigint  not null,
    id          uuid    not null,
    name        varchar not null,
    uri         varchar not null,
    digest      varchar,
    description varchar,
    state       varchar not null,
    author      bigint  not null,
    created     bigint  not null
);

-- Where an alias pointed, newest last; `operation` moved it there.
create table base.holder (
    alias     bigint  not null,
    version   bigint,
    operation uuid    not null,
    author    bigint  not null,
    since     bigint  not null
);

create view comments as
select m.name                                   as model,
       v.number,
       c.text,
       a.name                                   as author,
       make_timestamp(c.created * 1000)         as created,
       make_timestamp(c.edited * 1000)          as edited,
       v.id                                     as version_id,
       d.id
  from base.comment c
  join base.document d on d.key = c.key
  left join base.version v on v.key = c.entity
  join base.model m on m.key = coalesce(v.model, c.entity)
  left join base.actor a on a.key = c.author
 where c.state = 'posted';

create view datasets as
select d.name                                   as dataset,
       d.uri,
       d.digest,
       d.description,
       d.state,
       a.name                                   as author,
       make_timestamp(d.created * 1000)         as created,
       d.id
  from base.dataset d
  left join base.actor a on a.key = d.author;

create view holders as
select m.name                                   as model,
       l.name                                   as alias,
       v.number,
       make_timestamp(h.since * 1000)           as since,
       a.name                                   as author,
       h.operation,
       v.id                                     as version_id
  from base.holder h
  join base.alias l on l.key = h.alias
  join base.model m on m.key = l.model
  left join base.version v on v.key = h.version
  left join base.actor a on a.key = h.author;

create view conflicts as
select d.id,
       coalesce(m.name, n.name, p.name)         as model,
       v.number,
       l.name                                   as alias,
       c.path,
       c.open
  from base.conflict c
  join base.document d on d.key = c.key
  left join base.version v on v.key = c.entity
  left join base.model m on m.key = v.model
  left join base.model n on n.key = c.entity
  left join base.alias l on l.key = c.entity
  left join base.model p on p.key = l.model;

create or replace view files as
select m.name as model, v.number, f.path, f.size, f.executable, lower(hex(f.digest)) as digest,
       y.format, y.safety, y.tensors, v.id as version_id
  from base.file f
  join base.version v on v.key = f.version
  join base.model m on m.key = v.model
  left join base.layout y on y.digest = f.digest;

create view tensors as
select m.name as model, v.number, f.path, t.name as tensor, t.dtype, t.shape, t.size,
       lower(hex(t.digest)) as digest, v.id as version_id
  from base.tensor t
  join base.layout y on y.key = t.layout
  join base.file f on f.digest = y.digest
  join base.version v on v.key = f.version
  join base.model m on m.key = v.model;
