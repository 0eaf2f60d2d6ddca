-- system: frappe_whatsapp for Frappe, ERPNext
-- read: 2026-04
-- engine: MariaDB 10.11
-- dealership_id: whatsapp_account
-- url: mysql://fecha@db.example.com/_site
-- ignored_statuses: Failed, failed
-- counted_statuses: Success, sent, delivered, read
-- index: ALTER TABLE `tabWhatsApp Message` ADD COLUMN fecha_sent_at datetime(6) GENERATED ALWAYS AS (creation + INTERVAL 3 HOUR) VIRTUAL, ADD KEY fecha_sent_at (fecha_sent_at);
-- index: -- then in the SELECT: m.fecha_sent_at AS sent_at
-- trap: Frappe writes creation in the site's time zone, not in UTC.
-- trap: A status is written by the site (Failed) or by the webhook (failed): both are on the list.
(SELECT m.whatsapp_account AS dealership_id,
        CASE m.type WHEN 'Outgoing' THEN m.`to` ELSE m.`from` END AS contact,
        CASE m.type WHEN 'Outgoing' THEN 'out' WHEN 'Incoming' THEN 'in' END AS direction,
        CASE WHEN m.type = 'Outgoing' AND m.message_type = 'Template' THEN 'hsm' ELSE 'session' END AS kind,
        m.template AS template,
        CASE m.type WHEN 'Outgoing' THEN m.status END AS status,
        CAST(m.creation + INTERVAL 3 HOUR AS DATETIME(6)) AS sent_at
   FROM `tabWhatsApp Message` m
  WHERE m.message_id IS NOT NULL OR m.status = 'Failed')
