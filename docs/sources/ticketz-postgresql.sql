-- system: Ticketz and other SaaS forks of Whaticket (no official API: no HSM)
-- read: ticketz 2026-08
-- engine: PostgreSQL 15
-- dealership_id: the company's id
-- url: postgres://fecha@db.example.com/ticketz
-- ignored_statuses: queued
-- counted_statuses:
-- index: CREATE INDEX CONCURRENTLY messages_created_at ON "Messages" ("createdAt");
-- trap: A contact can be @lid; WhatsappLidMaps knows its number.
-- trap: Notes of the team are messages too (mediaType note): they went to nobody.
(SELECT m."companyId" AS dealership_id,
        CASE WHEN t."isGroup" THEN k.number || '@g.us'
             WHEN k.number LIKE '%@lid' THEN COALESCE((SELECT p.number FROM "WhatsappLidMaps" l JOIN "Contacts" p ON p.id = l."contactId"
                                                        WHERE l.lid = k.number AND l."companyId" = m."companyId" LIMIT 1), k.number)
             ELSE k.number END AS contact,
        CASE WHEN m."fromMe" THEN 'out' ELSE 'in' END AS direction,
        'session' AS kind,
        NULL AS template,
        CASE WHEN m."fromMe" AND m.ack = 0 THEN 'queued' END AS status,
        m."createdAt" AS sent_at
   FROM "Messages" m
   LEFT JOIN "Tickets" t ON t.id = m."ticketId"
   LEFT JOIN "Contacts" k ON k.id = t."contactId"
  WHERE m.channel = 'whatsapp' AND m."mediaType" IS DISTINCT FROM 'note')
