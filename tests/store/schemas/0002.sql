pragma application_id = 1835363633;
pragma user_version = 2;
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
CREATE TABLE turns (
            id integer primary key,
            session_id integer not null references sessions on delete cascade,
            conversation_id integer not null references conversations on delete cascade,
            position integer not null,  -- from 1 within the session
            key text not null,
            parent text,
            role text not null,
            speaker text,
            text text not null,
            sent_at integer,            -- UTC, ms
            utc_offset integer not null, -- minutes east, as it was said
            clock text not null,
            kind text not null,
            active integer not null,
            unique (conversation_id, key)
        ) strict
        ;
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, text, sent_at, utc_offset, clock, kind, active) values (1, 1, 1, 1, 't1', NULL, 'user', NULL, 'I must not eat hazelnuts.', 1709294400000, 120, 'exact', 'text', 1);
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, text, sent_at, utc_offset, clock, kind, active) values (2, 1, 1, 2, 't2', 't1', 'assistant', NULL, 'Noted, no hazelnuts.', 1709294460000, 120, 'exact', 'text', 1);
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, text, sent_at, utc_offset, clock, kind, active) values (3, 2, 2, 1, 'a1', NULL, 'person', 'Ann', 'The ferry leaves at nine.', 1714557600000, 120, 'exact', 'text', 1);
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, text, sent_at, utc_offset, clock, kind, active) values (4, 2, 2, 2, 'a2', NULL, 'user', 'me', '東京 is next?', 1714557660000, 120, 'exact', 'text', 1);
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, text, sent_at, utc_offset, clock, kind, active) values (5, 3, 2, 1, 'a3', NULL, 'person', 'Ann', 'Umbrella 🌂', 1714989600000, 120, 'exact', 'media', 1);
CREATE TABLE revisions (    -- what a turn said, or how a session was titled, before
            id integer primary key,
            conversation_id integer not null references conversations on delete cascade,
            key text,                   -- of the turn; null for a title
            text text not null,
            digest text not null,       -- of all that was replaced
            unique (conversation_id, digest)
        ) strict
        ;
insert into revisions (id, conversation_id, key, text, digest) values (1, 1, 't1', 'I must not eat nuts.', '5f0e');
insert into revisions (id, conversation_id, key, text, digest) values (2, 1, NULL, 'Trip', '77ab');
CREATE INDEX sessions_by_conversation on sessions (conversation_id, started_at);
CREATE INDEX sessions_by_time on sessions (started_at);
CREATE INDEX turns_by_session on turns (session_id, position);
commit;
