-- system: Evolution API 2.x
-- read: 2.3.6, all migrations run
-- engine: PostgreSQL 15
-- dealership_id: the instance's name
-- url: postgres://fecha@db.example.com/evolution
-- ignored_statuses: PENDING, ERROR, FAILED
-- counted_statuses: SERVER_ACK, DELIVERY_ACK, READ, PLAYED, DELETED
-- sent_at_unit: s
-- index: CREATE INDEX CONCURRENTLY message_timestamp ON "Message" ("messageTimestamp");
-- index: CREATE INDEX CONCURRENTLY message_update_message_id ON "MessageUpdate" ("messageId");
-- trap: A status is in capitals, and what failed is ERROR or FAILED: `failed` alone would charge them.
-- trap: Baileys keeps @lid in remoteJid and the number in remoteJidAlt or senderPn.
-- trap: A template of the official API is kept as text between ▶️ and ◀️.
-- trap: A message that comes twice has one key.id, which is given as message_id: fecha counts it once.
(SELECT m.key ->> 'id' AS message_id,
        i.name AS dealership_id,
        CASE WHEN m.key ->> 'remoteJid' LIKE '%@lid' THEN COALESCE(m.key ->> 'remoteJidAlt', m.key ->> 'senderPn', m.key ->> 'remoteJid')
             ELSE m.key ->> 'remoteJid' END AS contact,
        CASE m.key ->> 'fromMe' WHEN 'true' THEN 'out' ELSE 'in' END AS direction,
        CASE WHEN i.integration = 'WHATSAPP-BUSINESS' AND m.key ->> 'fromMe' = 'true' AND m.message ->> 'conversation' LIKE '▶️%◀️' THEN 'hsm' ELSE 'session' END AS kind,
        CASE WHEN m.message ->> 'conversation' LIKE '▶️%◀️' THEN btrim(m.message ->> 'conversation', '▶️◀️') END AS template,
        CASE WHEN m.key ->> 'fromMe' = 'true' THEN COALESCE(
             (SELECT CASE WHEN bool_or(s.status IN ('FAILED', 'ERROR')) THEN 'FAILED' ELSE max(s.status) END
                FROM "MessageUpdate" s WHERE s."messageId" = m.id), m.status) END AS status,
        m."messageTimestamp" AS sent_at
   FROM "Message" m
   LEFT JOIN "Instance" i ON i.id = m."instanceId")
