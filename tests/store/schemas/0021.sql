pragma application_id = 1835363633;
pragma user_version = 21;
begin;
CREATE TABLE conversations (
            id integer primary key,
            source text not null,       -- format or program
            key text not null,          -- the source's own id
            endless integer not null, as_of integer, cut_rule integer not null default 1,   -- cut into sessions at quiet gaps
            unique (source, key)
        ) strict
        ;
insert into conversations (id, source, key, endless, as_of, cut_rule) values (1, 'chatgpt', 'c-1', 0, NULL, 1);
insert into conversations (id, source, key, endless, as_of, cut_rule) values (2, 'whatsapp', 'Ann', 1, 1714989600000, 1);
CREATE TABLE sessions (
            id integer primary key,
            public text not null unique,    -- s_ and ten characters
            conversation_id integer not null references conversations on delete cascade,
            title text not null,
            started_at integer,             -- UTC, ms
            ended_at integer,
            utc_offset integer not null,    -- minutes east, where it began
            participants text not null      -- JSON list of names
        , checksum text, indexed text, messages integer not null default 0, words integer, tokens integer) strict
        ;
insert into sessions (id, public, conversation_id, title, started_at, ended_at, utc_offset, participants, checksum, indexed, messages, words, tokens) values (1, 's_lsbn000001', 1, 'Trip to Lisbon', 1709294400000, 1709294460000, 0, '["user", "assistant"]', '00', NULL, 2, 2, NULL);
insert into sessions (id, public, conversation_id, title, started_at, ended_at, utc_offset, participants, checksum, indexed, messages, words, tokens) values (2, 's_annn000001', 2, 'Ann', 1714557600000, 1714557660000, 120, '["Ann", "me"]', NULL, NULL, 2, 2, NULL);
insert into sessions (id, public, conversation_id, title, started_at, ended_at, utc_offset, participants, checksum, indexed, messages, words, tokens) values (3, 's_annn000002', 2, 'Ann', 1714989600000, 1714989600000, 120, '["Ann"]', NULL, NULL, 1, 2, NULL);
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
CREATE TABLE passages (
            id integer primary key,
            session_id integer not null references sessions on delete cascade,
            first integer not null,  -- positions of the first and last turn, both included
            last integer not null check (last >= first),
            start integer not null,  -- characters of a turn that takes several passages
            stop integer
        , tokens integer) strict
        ;
insert into passages (id, session_id, first, last, start, stop, tokens) values (1, 1, 1, 2, 0, NULL, NULL);
insert into passages (id, session_id, first, last, start, stop, tokens) values (2, 2, 1, 1, 0, 9, NULL);
insert into passages (id, session_id, first, last, start, stop, tokens) values (3, 2, 1, 1, 9, NULL, NULL);
insert into passages (id, session_id, first, last, start, stop, tokens) values (4, 2, 2, 2, 0, NULL, NULL);
insert into passages (id, session_id, first, last, start, stop, tokens) values (5, 3, 1, 1, 0, NULL, NULL);
CREATE TABLE answers (
            id integer primary key autoincrement,  -- the older, the smaller
            key text not null unique,   -- digest of model, question and what it was shown
            value text not null         -- JSON
        ) strict
        ;
insert into answers (id, key, value) values (1, 'key', '{"order": [1, 0]}');
CREATE TABLE aliases (      -- of sessions that began elsewhere, before more was known
            public text primary key,
            conversation_id integer not null references conversations on delete cascade,
            key text not null       -- of the turn it began with
        ) strict, without rowid
        ;
insert into aliases (public, conversation_id, key) values ('s_annn000009', 2, 'a2');
CREATE TABLE sources (
            path blob primary key,      -- as it was named, absolute
            options text not null       -- JSON: how to read it
        ) strict, without rowid
        ;
insert into sources (path, options) values (X'2F686F6D652F616E6E2F636861742E7A6970', '{"format": "whatsapp"}');
CREATE TABLE files (        -- of sources: all that lies in a folder
            path blob primary key,      -- absolute
            state text not null,        -- digest of size, time of change, head and options
            head text not null,         -- digest of options and the first bytes
            offset integer not null,    -- how far a log was read: bytes
            line integer not null,
            reports text not null       -- JSON: what it gave
        , content text) strict, without rowid
        ;
insert into files (path, state, head, offset, line, reports, content) values (X'2F686F6D652F616E6E2F636861742E7A6970', 'state', 'head', 120, 3, '[]', '120 0123456789abcdef');
CREATE TABLE forgotten (digest text primary key) strict, without rowid;
insert into forgotten (digest) values ('00112233445566778899aabbccddeeff');
CREATE TABLE "embedders" (  -- vectors of embedder n are in table vectors_n
            id integer primary key,
            fingerprint text not null,
            name text not null,
            dimensions integer not null,
            serving integer not null default 1,  -- of those that do not, the vectors are not all
            named text              -- how the person named it: what opens it again
        , turns integer not null default 0) strict
        ;
insert into embedders (id, fingerprint, name, dimensions, serving, named, turns) values (1, 'print', 'tiny', 12, 1, 'tiny-embedder', 0);
CREATE TABLE memories (
            id integer primary key autoincrement,   -- never given again
            public text not null unique,    -- m_ and ten characters
            subject text not null,          -- its key as keys are compared
            key text not null,
            type text not null,
            value text not null,
            tags text not null,             -- JSON list
            accepted integer not null default 0,    -- by the person
            edited_into integer references memories on delete set null,
            source_id integer not null,     -- one of its sources
            foreign key (source_id, id) references memory_sources (id, memory_id)
                deferrable initially deferred
        ) strict
        ;
insert into memories (id, public, subject, key, type, value, tags, accepted, edited_into, source_id) values (1, 'm_nuts000001', 'allergy', 'Allergy', 'UserMemory', 'Must not eat hazelnuts', '["health"]', 1, NULL, 1);
insert into memories (id, public, subject, key, type, value, tags, accepted, edited_into, source_id) values (2, 'm_nuts000002', 'allergy', 'Allergy', 'UserMemory', 'Must not eat nuts', '[]', 0, 1, 2);
CREATE VIRTUAL TABLE memory_words using fts5(text, content='', contentless_delete=1, tokenize="porter unicode61 remove_diacritics 2");
CREATE TABLE memory_sources (
            id integer primary key autoincrement,
            memory_id integer not null references memories on delete cascade,
            conversation_id integer not null,
            turn text not null,             -- its key
            by text not null,               -- you, or the model that found it
            unsupported text not null,      -- JSON list: what the turn does not say of the fact
            unique (memory_id, conversation_id, turn),
            unique (id, memory_id),
            foreign key (conversation_id, turn) references turns (conversation_id, key)
                deferrable initially deferred
        ) strict
        ;
insert into memory_sources (id, memory_id, conversation_id, turn, by, unsupported) values (1, 1, 1, 't1', 'reader 12', '[]');
insert into memory_sources (id, memory_id, conversation_id, turn, by, unsupported) values (2, 2, 1, 't2', 'you', '["nuts"]');
CREATE TABLE readings (     -- of a segment by a reader
            id integer primary key,
            way text not null,      -- digest of the reader and of how it is asked
            model text not null,    -- its name
            outcome text not null,  -- added, ignored, buffered, failed
            reason text not null,
            trace text              -- JSON; null where it was not to be kept
        ) strict
        ;
insert into readings (id, way, model, outcome, reason, trace) values (1, 'way', 'reader', 'added', 'an allergy', '[{"thought": "é"}]');
CREATE TABLE read_turns (
            reading_id integer not null references readings on delete cascade,
            conversation_id integer not null references conversations on delete cascade,
            key text not null,
            digest text not null,   -- of its text, as it was read
            stop integer not null,  -- characters of it that were read by then
            primary key (conversation_id, key, reading_id)
        ) strict, without rowid
        ;
insert into read_turns (reading_id, conversation_id, key, digest, stop) values (1, 1, 't1', 'cfcd3981dc32e2a1f27f9d7d8ea05e32', 25);
CREATE TABLE reading_memories (     -- what it added, or found to be there
            reading_id integer not null references readings on delete cascade,
            memory text not null,           -- m_ and ten characters
            primary key (memory, reading_id)
        ) strict, without rowid
        ;
insert into reading_memories (reading_id, memory) values (1, 'm_nuts000001');
CREATE TABLE tombstone_keys (   -- without one, a digest confirms no guess
            id integer primary key,     -- 1 is our own; the others came with other databases
            key text not null unique
        ) strict
        ;
insert into tombstone_keys (id, key) values (1, '0123456789abcdef');
insert into tombstone_keys (id, key) values (2, 'fedcba9876543210');
CREATE TABLE backups (
            path blob primary key,      -- absolute
            made_at integer not null    -- UTC, ms
        ) strict, without rowid
        ;
insert into backups (path, made_at) values (X'2F686F6D652F616E6E2F6261636B75702E6462', 1714989600000);
CREATE TABLE texts (
            session_id integer primary key references sessions on delete cascade,
            packed blob not null        -- the texts of all its turns; `mem export` prints them
        ) strict
        ;
insert into texts (session_id, packed) values (1, X'785E636260609004621120F654C82D2D2E51C8CB2F51484D2C51C848AC4ACDC92B2D29D6F3CB2F494DD1014A208901007F3210A8');
insert into texts (session_id, packed) values (2, X'0002000000190000000F000000546865206665727279206C6561766573206174206E696E652EE69DB1E4BAAC206973206E6578743F');
insert into texts (session_id, packed) values (3, X'00010000000D000000556D6272656C6C6120F09F8C82');
CREATE TABLE "turns" (
            id integer primary key,
            session_id integer not null references sessions on delete cascade,
            conversation_id integer not null references conversations on delete cascade,
            position integer not null,  -- from 1 within the session
            key text not null,
            parent text,
            role text not null,
            speaker text,
            sent_at integer,            -- UTC, ms
            utc_offset integer not null, -- minutes east, as it was said
            clock text not null,
            kind text not null,
            active integer not null,
            edited_at integer,          -- UTC, ms
            missing integer not null default 0,
            included integer not null default 0,
            characters integer not null, -- of its text; 0 for nothing but blanks
            unique (conversation_id, key)
        ) strict
        ;
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, sent_at, utc_offset, clock, kind, active, edited_at, missing, included, characters) values (1, 1, 1, 1, 't1', NULL, 'user', NULL, 1709294400000, 120, 'exact', 'text', 1, 1709294405000, 1, 0, 25);
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, sent_at, utc_offset, clock, kind, active, edited_at, missing, included, characters) values (2, 1, 1, 2, 't2', 't1', 'assistant', NULL, 1709294460000, 120, 'exact', 'text', 1, NULL, 0, 0, 20);
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, sent_at, utc_offset, clock, kind, active, edited_at, missing, included, characters) values (3, 2, 2, 1, 'a1', NULL, 'person', 'Ann', 1714557600000, 120, 'exact', 'text', 1, NULL, 0, 0, 25);
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, sent_at, utc_offset, clock, kind, active, edited_at, missing, included, characters) values (4, 2, 2, 2, 'a2', NULL, 'user', 'me', 1714557660000, 120, 'exact', 'text', 1, NULL, 0, 0, 11);
insert into turns (id, session_id, conversation_id, position, key, parent, role, speaker, sent_at, utc_offset, clock, kind, active, edited_at, missing, included, characters) values (5, 3, 2, 1, 'a3', NULL, 'person', 'Ann', 1714989600000, 120, 'exact', 'media', 1, NULL, 0, 0, 10);
CREATE VIRTUAL TABLE session_words using fts5(text, content='', tokenize='ascii', detail=none, columnsize=0);
CREATE VIRTUAL TABLE title_words using fts5(text, content='', tokenize='ascii');
CREATE VIRTUAL TABLE passage_words using fts5(text, content='', tokenize='ascii', detail=none, columnsize=0);
CREATE VIRTUAL TABLE turn_words using fts5(text, content='', tokenize='ascii');
CREATE TABLE text_totals (  -- of the tables of words that keep no sizes
            name text primary key,
            texts integer not null default 0,
            tokens integer not null default 0,  -- of all texts together
            words integer not null default 0    -- different ones in each text
        ) strict, without rowid
        ;
insert into text_totals (name, texts, tokens, words) values ('passage_words', 0, 0, 0);
insert into text_totals (name, texts, tokens, words) values ('session_words', 0, 0, 0);
CREATE TABLE vectors_1 (id integer primary key, embedding blob not null) strict;
insert into vectors_1 (id, embedding) values (1, X'7F2A0000D65500002AAB002A00000000');
insert into vectors_1 (id, embedding) values (2, X'D6557F000000AB2A002A000000000000');
insert into vectors_1 (id, embedding) values (3, X'0000E07F20002000C000205F00000000');
insert into vectors_1 (id, embedding) values (4, X'2AD600550081002A000055D600000000');
insert into vectors_1 (id, embedding) values (5, X'00000000000000000000000000000000');
CREATE VIRTUAL TABLE bits_1 using vec0(embedding bit[16]);
insert into bits_1 (rowid, embedding) values (1, vec_bit(X'2309'));
insert into bits_1 (rowid, embedding) values (2, vec_bit(X'8602'));
insert into bits_1 (rowid, embedding) values (3, vec_bit(X'580C'));
insert into bits_1 (rowid, embedding) values (4, vec_bit(X'8904'));
insert into bits_1 (rowid, embedding) values (5, vec_bit(X'0000'));
CREATE VIRTUAL TABLE memory_vectors_1 using vec0(embedding float[12] distance_metric=cosine);
insert into memory_vectors_1 (rowid, embedding) values (1, X'6297273F82745F3E000000000000000082745FBE8274DF3E000000000000000082745F3E8274DFBE0000000082745F3E');
insert into memory_vectors_1 (rowid, embedding) values (2, X'2EF964BE2EF9E43EE2BA2B3F0000000000000000000000002EF9E4BE2EF9643E000000002EF9643E0000000000000000');
delete from memory_words_data;
insert into memory_words_data (id, block) values (1, X'020A');
insert into memory_words_data (id, block) values (10, X'00000000FF000001010202000201010101010000010201010202000001');
insert into memory_words_data (id, block) values (137438953473, X'000000360830616C6C657267690102020103656174010205010868617A656C6E757401020601046D75737401020301036E6F74010204040C080D09');
insert into memory_words_data (id, block) values (274877906945, X'000000300830616C6C65726769020202010365617402020501046D75737402020301036E6F7402020402027574020206040C080908');
delete from memory_words_idx;
insert into memory_words_idx (segid, term, pgno) values (1, X'', 2);
insert into memory_words_idx (segid, term, pgno) values (2, X'', 2);
delete from memory_words_docsize;
insert into memory_words_docsize (id, sz, origin) values (1, X'05', 1);
insert into memory_words_docsize (id, sz, origin) values (2, X'05', 2);
delete from memory_words_config;
insert into memory_words_config (k, v) values ('version', 4);
delete from passage_words_data;
insert into passage_words_data (id, block) values (1, X'');
insert into passage_words_data (id, block) values (10, X'00000002000000');
delete from passage_words_idx;
delete from passage_words_config;
insert into passage_words_config (k, v) values ('hashsize', 33554432);
insert into passage_words_config (k, v) values ('secure-delete', 1);
insert into passage_words_config (k, v) values ('version', 4);
delete from session_words_data;
insert into session_words_data (id, block) values (1, X'');
insert into session_words_data (id, block) values (10, X'00000002000000');
delete from session_words_idx;
delete from session_words_config;
insert into session_words_config (k, v) values ('hashsize', 33554432);
insert into session_words_config (k, v) values ('secure-delete', 1);
insert into session_words_config (k, v) values ('version', 4);
delete from title_words_data;
insert into title_words_data (id, block) values (1, X'');
insert into title_words_data (id, block) values (10, X'00000002000000');
delete from title_words_idx;
delete from title_words_docsize;
delete from title_words_config;
insert into title_words_config (k, v) values ('hashsize', 33554432);
insert into title_words_config (k, v) values ('secure-delete', 1);
insert into title_words_config (k, v) values ('version', 4);
delete from turn_words_data;
insert into turn_words_data (id, block) values (1, X'');
insert into turn_words_data (id, block) values (10, X'00000002000000');
delete from turn_words_idx;
delete from turn_words_docsize;
delete from turn_words_config;
insert into turn_words_config (k, v) values ('hashsize', 33554432);
insert into turn_words_config (k, v) values ('secure-delete', 1);
insert into turn_words_config (k, v) values ('version', 4);
CREATE INDEX sessions_by_conversation on sessions (conversation_id, started_at);
CREATE INDEX sessions_by_time on sessions (started_at);
CREATE INDEX passages_by_session on passages (session_id);
CREATE UNIQUE INDEX embedders_by_role on embedders (serving);
CREATE INDEX memories_by_subject on memories (subject);
CREATE INDEX memories_by_edit on memories (edited_into);
CREATE INDEX memory_sources_by_turn on memory_sources (conversation_id, turn);
CREATE TRIGGER memory_source_gone after delete on memory_sources begin
            delete from memories where id = old.memory_id
                and not exists (select 1 from memory_sources where memory_id = old.memory_id);
            update memories
                set source_id = (select min(id) from memory_sources where memory_id = old.memory_id)
                where id = old.memory_id and source_id = old.id;
        end;
CREATE INDEX read_turns_by_reading on read_turns (reading_id);
CREATE TRIGGER readings_forgotten after delete on read_turns begin delete from readings where id = old.reading_id; end;
CREATE INDEX reading_memories_by_reading on reading_memories (reading_id);
CREATE TRIGGER reading_memories_forgotten after delete on memories begin delete from reading_memories where memory = old.public; end;
CREATE INDEX turns_by_session on turns (session_id, position);
CREATE INDEX turns_first on turns (key) where position = 1;
CREATE INDEX turns_by_speaker on turns (speaker) where speaker is not null and active and kind in ('text', 'media', 'deleted');
CREATE INDEX sessions_unindexed on sessions (id) where indexed is null;
commit;
