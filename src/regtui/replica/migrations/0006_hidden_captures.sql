-- Versions that wait to be captured and are not shown, since who captured them may not write the
-- model by now, with the keys that they had: their lists of files stay under these.
create table base.hidden (id uuid not null, key bigint not null);
