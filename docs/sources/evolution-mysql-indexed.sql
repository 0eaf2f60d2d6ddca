-- system: Evolution API 2.x with two generated columns
-- read: 2.3.6, mysql-migrations run
-- engine: MariaDB 10.11
-- dealership_id: the instance's name
-- url: mysql://fecha@db.example.com/evolution
-- ignored_statuses: PENDING, ERROR, FAILED
-- counted_statuses: SERVER_ACK, DELIVERY_ACK, READ, PLAYED, DELETED
-- index: ALTER TABLE Message
-- index:   ADD COLUMN fecha_sent_at datetime GENERATED ALWAYS AS (TIMESTAMP '1970-01-01 00:00:00' + INTERVAL messageTimestamp SECOND) VIRTUAL,
-- index:   ADD COLUMN fecha_key_id varchar(100) GENERATED ALWAYS AS (JSON_VALUE(`key`, '$.id')) VIRTUAL,
-- index:   ADD KEY fecha_sent_at (fecha_sent_at), ADD KEY fecha_key_id (instanceId, fecha_key_id);
-- trap: A status is in capitals, and what failed is ERROR or FAILED: `failed` alone would charge them.
-- trap: Baileys keeps @lid in remoteJid and the number in remoteJidAlt or senderPn.
-- trap: A template of the official API is kept as text between ▶️ and ◀️.
-- trap: A message that comes twice has one key.id: the first row stands.
-- trap: For an owner who wants each message once in SQL as well; evolution-mysql is as fast without new columns.
-- trap: The SELECT needs the two generated columns: their owner runs the index first.
(SELECT i.name AS dealership_id,
        CASE WHEN JSON_VALUE(m.`key`, '$.remoteJid') LIKE '%@lid' THEN COALESCE(JSON_VALUE(m.`key`, '$.remoteJidAlt'), JSON_VALUE(m.`key`, '$.senderPn'), JSON_VALUE(m.`key`, '$.remoteJid'))
             ELSE JSON_VALUE(m.`key`, '$.remoteJid') END AS contact,
        CASE WHEN JSON_EXTRACT(m.`key`, '$.fromMe') = TRUE THEN 'out' ELSE 'in' END AS direction,
        CASE WHEN i.integration = 'WHATSAPP-BUSINESS' AND JSON_EXTRACT(m.`key`, '$.fromMe') = TRUE AND JSON_VALUE(m.message, '$.conversation') LIKE '▶️%◀️' THEN 'hsm' ELSE 'session' END AS kind,
        CASE WHEN JSON_VALUE(m.message, '$.conversation') LIKE '▶️%◀️' THEN TRIM(TRAILING '◀️' FROM TRIM(LEADING '▶️' FROM JSON_VALUE(m.message, '$.conversation'))) END AS template,
        CASE WHEN JSON_EXTRACT(m.`key`, '$.fromMe') = TRUE THEN COALESCE(
             (SELECT CASE WHEN MAX(s.status IN ('FAILED', 'ERROR')) = 1 THEN 'FAILED' ELSE MAX(s.status) END FROM MessageUpdate s WHERE s.messageId = m.id), m.status) END AS status,
        m.fecha_sent_at AS sent_at
   FROM Message m
   LEFT JOIN Instance i ON i.id = m.instanceId
  WHERE NOT EXISTS (SELECT 1 FROM Message e WHERE e.instanceId = m.instanceId AND e.fecha_key_id = m.fecha_key_id AND e.id < m.id))
