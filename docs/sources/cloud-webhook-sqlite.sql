-- system: A log of Meta's webhook, JSON text: webhook_events(id INTEGER PRIMARY KEY, received_at INTEGER, payload TEXT)
-- read: messages and statuses of the Cloud API's webhook
-- engine: SQLite
-- dealership_id: phone_number_id
-- url: sqlite:webhooks.db
-- ignored_statuses: failed
-- counted_statuses: sent, delivered, read
-- trap: No index helps: every close reads the whole log.
-- trap: Meta delivers a webhook again until it is answered: each id is taken once. Of an outgoing message its first status stands, unless it failed.
(SELECT dealership_id, contact, direction, kind, template, status, sent_at FROM (
   SELECT *, ROW_NUMBER() OVER (PARTITION BY id ORDER BY rank, sent_at) AS nth FROM (
     SELECT m.value ->> '$.id' AS id, c.value ->> '$.value.metadata.phone_number_id' AS dealership_id, COALESCE(m.value ->> '$.from', m.value ->> '$.from_user_id') AS contact,
            'in' AS direction, 'session' AS kind, NULL AS template, NULL AS status, CAST(m.value ->> '$.timestamp' AS INTEGER) * 1000 AS sent_at, 0 AS rank
       FROM webhook_events w, json_each(w.payload, '$.entry') e, json_each(e.value, '$.changes') c, json_each(c.value, '$.value.messages') m
      WHERE m.value ->> '$.type' IS NOT 'system'
     UNION ALL
     SELECT s.value ->> '$.id', c.value ->> '$.value.metadata.phone_number_id', COALESCE(s.value ->> '$.recipient_id', s.value ->> '$.recipient_user_id'),
            'out', CASE WHEN s.value ->> '$.pricing.category' IN ('marketing', 'marketing_lite', 'utility', 'authentication', 'authentication_international') THEN 'hsm' ELSE 'session' END,
            s.value ->> '$.pricing.category', s.value ->> '$.status', CAST(s.value ->> '$.timestamp' AS INTEGER) * 1000, CASE s.value ->> '$.status' WHEN 'failed' THEN 0 ELSE 1 END
       FROM webhook_events w, json_each(w.payload, '$.entry') e, json_each(e.value, '$.changes') c, json_each(c.value, '$.value.statuses') s))
  WHERE nth = 1)
