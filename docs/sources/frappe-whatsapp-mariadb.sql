-- system: frappe_whatsapp for Frappe, ERPNext
-- read: 2026-04
-- engine: MariaDB 10.11
-- dealership_id: whatsapp_account
-- url: mysql://fecha@db.example.com/_site
-- ignored_statuses: Failed, failed
-- counted_statuses: Success, sent, delivered, read
-- sent_at_zone: America/Sao_Paulo
-- index: CREATE INDEX creation ON `tabWhatsApp Message` (creation);
-- trap: Frappe writes creation in the site's time zone, not in UTC: write that zone as sent_at_zone.
-- trap: A status is written by the site (Failed) or by the webhook (failed): both are on the list.
(SELECT m.message_id AS message_id,
        m.whatsapp_account AS dealership_id,
        CASE m.type WHEN 'Outgoing' THEN m.`to` ELSE m.`from` END AS contact,
        CASE m.type WHEN 'Outgoing' THEN 'out' WHEN 'Incoming' THEN 'in' END AS direction,
        CASE WHEN m.type = 'Outgoing' AND m.message_type = 'Template' THEN 'hsm' ELSE 'session' END AS kind,
        m.template AS template,
        CASE m.type WHEN 'Outgoing' THEN m.status END AS status,
        m.creation AS sent_at
   FROM `tabWhatsApp Message` m
  WHERE m.message_id IS NOT NULL OR m.status = 'Failed')
