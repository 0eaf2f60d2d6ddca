-- system: go-whatsapp-web-multidevice, chatstorage.db (no official API: no HSM)
-- read: 2026-08
-- engine: SQLite
-- dealership_id: device_id
-- url: sqlite:chatstorage.db
-- ignored_statuses:
-- counted_statuses:
-- index: CREATE INDEX messages_sent_at ON messages (CAST(strftime('%s', timestamp) AS INTEGER) * 1000);
-- trap: Go writes timestamps as text with an offset, which strftime understands; compared as text they are in no order.
-- trap: There is no status: nothing shows that a message failed.
-- trap: Calls are messages too (media_type call).
(SELECT m.device_id AS dealership_id,
        m.chat_jid AS contact,
        CASE WHEN m.is_from_me THEN 'out' ELSE 'in' END AS direction,
        'session' AS kind,
        NULL AS template,
        NULL AS status,
        CAST(strftime('%s', m.timestamp) AS INTEGER) * 1000 AS sent_at
   FROM messages m
  WHERE m.media_type IS NOT 'call')
