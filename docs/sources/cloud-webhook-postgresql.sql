-- system: A log of Meta's webhook, jsonb: webhook_events(id bigserial, received_at timestamptz, payload jsonb)
-- read: messages and statuses of the Cloud API's webhook
-- engine: PostgreSQL 15
-- dealership_id: phone_number_id
-- url: postgres://fecha@db.example.com/webhooks
-- ignored_statuses: failed
-- counted_statuses: sent, delivered, read
-- trap: No index helps: every close reads the whole log. Above some 10,000 rows take cloud-webhook-postgresql-matview.
-- trap: Meta delivers a webhook again until it is answered: each id is taken once. Of an outgoing message its first status stands, unless it failed.
(SELECT v.dealership_id, v.contact, v.direction, v.kind, v.template, v.status, v.sent_at FROM (
   SELECT DISTINCT ON (x.id) x.* FROM (
     SELECT m ->> 'id' AS id, c #>> '{value,metadata,phone_number_id}' AS dealership_id, COALESCE(m ->> 'from', m ->> 'from_user_id') AS contact,
            'in' AS direction, 'session' AS kind, NULL AS template, NULL AS status, to_timestamp((m ->> 'timestamp')::bigint) AS sent_at, 0 AS rank
       FROM webhook_events w, jsonb_array_elements(w.payload -> 'entry') e, jsonb_array_elements(e -> 'changes') c, jsonb_array_elements(c #> '{value,messages}') m
      WHERE m ->> 'type' IS DISTINCT FROM 'system'
     UNION ALL
     SELECT s ->> 'id', c #>> '{value,metadata,phone_number_id}', COALESCE(s ->> 'recipient_id', s ->> 'recipient_user_id'),
            'out', CASE WHEN s #>> '{pricing,category}' IN ('marketing', 'marketing_lite', 'utility', 'authentication', 'authentication_international') THEN 'hsm' ELSE 'session' END,
            s #>> '{pricing,category}', s ->> 'status', to_timestamp((s ->> 'timestamp')::bigint), CASE s ->> 'status' WHEN 'failed' THEN 0 ELSE 1 END
       FROM webhook_events w, jsonb_array_elements(w.payload -> 'entry') e, jsonb_array_elements(e -> 'changes') c, jsonb_array_elements(c #> '{value,statuses}') s
   ) x ORDER BY x.id, x.rank, x.sent_at) v)
