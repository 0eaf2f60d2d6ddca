-- system: WAHA, NOWEB store (no official API: no HSM)
-- read: 2024-10
-- engine: SQLite
-- dealership_id: a constant: one file a session, so write the dealership into the SELECT
-- url: sqlite:store.sqlite3
-- ignored_statuses:
-- counted_statuses:
-- index: CREATE INDEX messages_sent_at ON messages (messageTimestamp * 1000);
-- trap: One file holds one session: several sessions are several sources.
-- trap: Seconds taken for milliseconds lie in 1970.
(SELECT 'd1' AS dealership_id,
        CASE WHEN m.jid LIKE '%@lid' THEN COALESCE(m.data ->> '$.key.remoteJidAlt', m.jid) ELSE m.jid END AS contact,
        CASE WHEN m.data ->> '$.key.fromMe' THEN 'out' ELSE 'in' END AS direction,
        'session' AS kind,
        NULL AS template,
        NULL AS status,
        m.messageTimestamp * 1000 AS sent_at
   FROM messages m)
