-- system: A log of Meta's webhook, materialized
-- read: messages and statuses of the Cloud API's webhook
-- engine: PostgreSQL 15
-- dealership_id: phone_number_id
-- url: postgres://fecha@db.example.com/webhooks
-- relation: fecha_message
-- ignored_statuses: failed
-- counted_statuses: sent, delivered, read
-- trap: The owner of the log runs this once, and REFRESH MATERIALIZED VIEW CONCURRENTLY fecha_message after midnight, before the close: [close] approval = "manual", or a settle longer than the refresh.
-- trap: DISTINCT ON in a relation is evaluated over the whole log for every query of a close; here it is once.
-- trap: A person who is seen by number and by user id is one contact: the number, wherever one payload ever had both.
CREATE MATERIALIZED VIEW fecha_message AS
WITH change AS (
  SELECT c #>> '{value,metadata,phone_number_id}' AS dealership_id, c -> 'value' AS v
    FROM webhook_events w, jsonb_array_elements(w.payload -> 'entry') e, jsonb_array_elements(e -> 'changes') c
   WHERE c ->> 'field' = 'messages'
), event AS (
  SELECT m ->> 'id' AS id, dealership_id, m ->> 'from' AS number, m ->> 'from_user_id' AS user_id, 'in' AS direction, 'session' AS kind, NULL AS category,
         NULL AS status, to_timestamp((m ->> 'timestamp')::bigint) AS at, m ->> 'group_id' AS group_id
    FROM change, jsonb_array_elements(v -> 'messages') m WHERE m ->> 'type' <> 'system'
  UNION ALL
  SELECT s ->> 'id', dealership_id, s ->> 'recipient_id', s ->> 'recipient_user_id', 'out', 'session', s #>> '{pricing,category}',
         s ->> 'status', to_timestamp((s ->> 'timestamp')::bigint), CASE s ->> 'recipient_type' WHEN 'group' THEN s ->> 'recipient_id' END
    FROM change, jsonb_array_elements(v -> 'statuses') s
), alias AS (
  SELECT user_id, min(number) AS number FROM event WHERE user_id IS NOT NULL AND number IS NOT NULL AND group_id IS NULL GROUP BY user_id
), message AS (
  SELECT id, min(dealership_id) AS dealership_id, max(number) AS number, max(user_id) AS user_id, max(group_id) AS group_id, min(direction) AS direction,
         max(category) AS category, bool_or(status = 'failed') AS failed, max(status) AS status, min(at) AS sent_at
    FROM event GROUP BY id
)
SELECT m.id AS message_id, m.dealership_id,
       CASE WHEN m.group_id IS NOT NULL THEN m.group_id || '@g.us' ELSE COALESCE(m.number, a.number, m.user_id) END AS contact,
       m.direction, CASE WHEN m.category <> 'service' AND m.category <> 'referral_conversion' THEN 'hsm' ELSE 'session' END AS kind, m.category AS template,
       CASE WHEN m.failed THEN 'failed' ELSE m.status END AS status, m.sent_at
  FROM message m LEFT JOIN alias a USING (user_id);
CREATE UNIQUE INDEX ON fecha_message (message_id);
CREATE INDEX ON fecha_message (sent_at);
