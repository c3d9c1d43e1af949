pragma application_id = 1835363633;
pragma user_version = 1;
begin;
CREATE TABLE conversations (
            id integer primary key,
            source text not null,       -- format or program
            key text not null,          -- the source's own id
            endless integer not null,   -- cut into sessions at quiet gaps
            unique (source, key)
        ) strict
        ;
insert into conversations (id, source, key, endless) values (1, 'chatgpt', 'c-1', 0);
insert into conversations (id, source, key, endless) values (2, 'whatsapp', 'Ann', 1);
CREATE TABLE sessions (
            id integer primary key,
            public text not null unique,    -- s_ and ten characters
            conversation_id integer not null references conversations on delete cascade,
            title text not null,
            started_at integer,             -- UTC, ms
            ended_at integer,
            utc_offset integer not null,    -- minutes east, where it began
            participants text not null      -- JSON list of names
        ) strict
        ;
insert into sessions (id, public, conversation_id, title, started_at, ended_at, utc_offset, participants) values (1, 's_lsbn000001', 1, 'Trip to Lisbon', 1709294400000, 1709294460000, 0, '["user", "assistant"]');
insert into sessions (id, public, conversation_id, title, started_at, ended_at, utc_offset, participants) values (2, 's_annn000001', 2, 'Ann', 1714557600000, 1714557660000, 120, '["Ann", "me"]');
insert into sessions (id, public, conversation_id, title, started_at, ended_at, utc_offset, participants) values (3, 's_annn000002', 2, 'Ann', 1714989600000, 1714989600000, 120, '["Ann"]');
CREATE INDEX sessions_by_conversation on sessions (conversation_id, started_at);
CREATE INDEX sessions_by_time on sessions (started_at);
commit;
