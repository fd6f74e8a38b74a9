-- What `uptake send` remembers beside a file; SQLite, for one process at a time.
-- Fates of an event: 1 begun, 2 accepted, 3 refused, 4 undone.

-- name: make_tables
-- Make the tables of a new file. An id that was made here stands as its 20 bytes, an
-- instant as microseconds since 1970: some 60 bytes a row.
BEGIN;
CREATE TABLE door (
    id INTEGER PRIMARY KEY,
    url TEXT NOT NULL UNIQUE,
    phase INTEGER NOT NULL,
    run INTEGER NOT NULL
);
CREATE TABLE source (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE event (
    door INTEGER NOT NULL,
    source INTEGER NOT NULL,
    id BLOB NOT NULL,
    time BLOB NOT NULL,
    reverses INTEGER NOT NULL,
    state INTEGER NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (door, source, id)
) WITHOUT ROWID;
CREATE TABLE written (
    name TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL
);
PRAGMA user_version = 1;
-- "uptk", so that another program's database is not taken for one of ours.
PRAGMA application_id = 1970304107;
COMMIT;

-- name: make_later_tables
-- Make what notes of earlier builds lack. `at`: microseconds since 1970, by the board's
-- clock, when the last sending to an address began; null if it did not tell.
CREATE TABLE IF NOT EXISTS beginning (door INTEGER PRIMARY KEY, at INTEGER);

-- name: find_beginning
-- Read when the last sending began.
SELECT at FROM beginning WHERE door = ?;

-- name: note_beginning
-- Note when a sending begins.
INSERT OR REPLACE INTO beginning (door, at) VALUES (?, ?);

-- name: find_door
-- Find an address, or note it.
INSERT INTO door (url, phase, run) VALUES (?, 0, 0)
ON CONFLICT (url) DO UPDATE SET url = url RETURNING id, phase, run;

-- name: enter_phase
-- Note what begins or has come to its end.
UPDATE door SET phase = ?, run = ? WHERE id = ?;

-- name: list_sources
-- Read the sources by number.
SELECT id, name FROM source;

-- name: add_source
-- Give a source its number.
INSERT INTO source (name) VALUES (?) RETURNING id;

-- name: begin_event
-- Note that an event may be in the log from now on. One that was accepted stays so;
-- one that was undone counts no more, whatever is sent under its id.
INSERT INTO event (door, source, id, time, reverses, state, run)
VALUES (?, ?, ?, ?, ?, 1, ?)
ON CONFLICT (door, source, id) DO UPDATE SET
    time = CASE WHEN state = 2 THEN time ELSE excluded.time END,
    run = CASE WHEN state = 2 THEN run ELSE excluded.run END,
    state = CASE WHEN state = 2 THEN 2 ELSE 1 END
WHERE state <> 4;

-- name: settle_event
-- Note an answer. What was accepted once is in the log, however a copy fares.
UPDATE event SET state = ?1, run = ?2
WHERE door = ?3 AND source = ?4 AND id = ?5
    AND state <> 4 AND NOT (state = 2 AND ?1 = 3);

-- name: undo_event
-- Note that a reversal of it is in the log.
UPDATE event SET state = 4 WHERE door = ? AND source = ? AND id = ?;

-- name: find_event
-- Read what is known of an event.
SELECT state, run FROM event WHERE door = ? AND source = ? AND id = ?;

-- name: count_events
-- Count the events of an address by fate, reversals apart.
SELECT state, count(*) FROM event WHERE door = ? AND reverses = ? GROUP BY state;

-- name: page_to_undo
-- Read the next events that may be in the log and are no reversals.
SELECT source.name, event.source, event.id, event.time FROM event
JOIN source ON source.id = event.source
WHERE event.door = ? AND (event.source, event.id) > (?, ?)
    AND event.state IN (1, 2) AND event.reverses = 0
ORDER BY event.source, event.id LIMIT ?;

-- name: list_accepted
-- Read all that was accepted.
SELECT source.name, event.id, event.time FROM event
JOIN source ON source.id = event.source
WHERE event.door = ? AND event.state = 2;

-- name: note_written
-- Remember how a file stands that we wrote.
INSERT OR REPLACE INTO written (name, size, mtime_ns) VALUES (?, ?, ?);

-- name: find_written
-- Read how we left a file.
SELECT size, mtime_ns FROM written WHERE name = ?;

-- name: is_blank
-- Tell whether nothing is worth keeping.
SELECT NOT EXISTS (SELECT 1 FROM event) AND NOT EXISTS (SELECT 1 FROM written);
