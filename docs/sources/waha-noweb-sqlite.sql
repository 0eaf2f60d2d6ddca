-- system: WAHA, NOWEB store (no official API: no HSM)
-- read: 2024-10
-- engine: SQLite
-- dealership_id: a constant: one file a session, so write the dealership into the SELECT
-- url: sqlite:store.sqlite3
-- ignored_statuses:
-- counted_statuses:
-- sent_at_unit: s
-- index: CREATE INDEX messages_timestamp ON messages (messageTimestamp);
-- trap: One file holds one session: several sessions are several sources.
-- trap: messageTimestamp is in seconds: taken for milliseconds they lie in 1970.
(SELECT 'd1' AS dealership_id,
        CASE WHEN m.jid LIKE '%@lid' THEN COALESCE(m.data ->> '$.key.remoteJidAlt', m.jid) ELSE m.jid END AS contact,
        CASE WHEN m.data ->> '$.key.fromMe' THEN 'out' ELSE 'in' END AS direction,
        'session' AS kind,
        NULL AS template,
        NULL AS status,
        m.messageTimestamp AS sent_at
   FROM messages m)
