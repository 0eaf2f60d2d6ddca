-- system: Whaticket (no official API: no HSM)
-- read: whaticket-community 2025-10
-- engine: MariaDB 10.11
-- dealership_id: the connection's name
-- url: mysql://fecha@db.example.com/whaticket
-- ignored_statuses: queued, failed
-- counted_statuses:
-- sent_at_zone: Etc/GMT+3
-- index: CREATE INDEX messages_created_at ON Messages (createdAt, ticketId, fromMe, ack);
-- trap: Sequelize writes createdAt in its own zone, -03:00 by default (config/database.ts), not in UTC; that is Etc/GMT+3, whatever Brazil does with its clocks.
-- trap: Messages lie in the order of a random key, so an index on createdAt alone leads to a search for each: this one has all columns that are read.
-- trap: The status is a number (ack): 0 is not sent, below 0 failed.
(SELECT m.id AS message_id,
        w.name AS dealership_id,
        CASE WHEN t.isGroup THEN CONCAT(k.number, '@g.us') ELSE k.number END AS contact,
        CASE WHEN m.fromMe THEN 'out' ELSE 'in' END AS direction,
        'session' AS kind,
        NULL AS template,
        CASE WHEN m.fromMe AND m.ack = 0 THEN 'queued' WHEN m.ack < 0 THEN 'failed' END AS status,
        m.createdAt AS sent_at
   FROM Messages m
   LEFT JOIN Tickets t ON t.id = m.ticketId
   LEFT JOIN Contacts k ON k.id = t.contactId
   LEFT JOIN Whatsapps w ON w.id = t.whatsappId)
