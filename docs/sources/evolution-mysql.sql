-- system: Evolution API 2.x
-- read: 2.3.6, mysql-migrations run
-- engine: MariaDB 10.11
-- dealership_id: the instance's name
-- url: mysql://fecha@db.example.com/evolution
-- ignored_statuses: PENDING, ERROR, FAILED
-- counted_statuses: SERVER_ACK, DELIVERY_ACK, READ, PLAYED, DELETED
-- sent_at_unit: s
-- index: CREATE INDEX message_timestamp ON Message (messageTimestamp);
-- trap: A status is in capitals, and what failed is ERROR or FAILED: `failed` alone would charge them.
-- trap: Baileys keeps @lid in remoteJid and the number in remoteJidAlt or senderPn.
-- trap: A template of the official API is kept as text between ▶️ and ◀️.
-- trap: A message that comes twice has one key.id, which is given as message_id: fecha counts it once.
(SELECT JSON_VALUE(m.`key`, '$.id') AS message_id,
        i.name AS dealership_id,
        CASE WHEN JSON_VALUE(m.`key`, '$.remoteJid') LIKE '%@lid' THEN COALESCE(JSON_VALUE(m.`key`, '$.remoteJidAlt'), JSON_VALUE(m.`key`, '$.senderPn'), JSON_VALUE(m.`key`, '$.remoteJid'))
             ELSE JSON_VALUE(m.`key`, '$.remoteJid') END AS contact,
        CASE WHEN JSON_EXTRACT(m.`key`, '$.fromMe') = TRUE THEN 'out' ELSE 'in' END AS direction,
        CASE WHEN i.integration = 'WHATSAPP-BUSINESS' AND JSON_EXTRACT(m.`key`, '$.fromMe') = TRUE AND JSON_VALUE(m.message, '$.conversation') LIKE '▶️%◀️' THEN 'hsm' ELSE 'session' END AS kind,
        CASE WHEN JSON_VALUE(m.message, '$.conversation') LIKE '▶️%◀️' THEN TRIM(TRAILING '◀️' FROM TRIM(LEADING '▶️' FROM JSON_VALUE(m.message, '$.conversation'))) END AS template,
        CASE WHEN JSON_EXTRACT(m.`key`, '$.fromMe') = TRUE THEN COALESCE(
             (SELECT CASE WHEN MAX(s.status IN ('FAILED', 'ERROR')) = 1 THEN 'FAILED' ELSE MAX(s.status) END FROM MessageUpdate s WHERE s.messageId = m.id), m.status) END AS status,
        m.messageTimestamp AS sent_at
   FROM Message m
   LEFT JOIN Instance i ON i.id = m.instanceId)
