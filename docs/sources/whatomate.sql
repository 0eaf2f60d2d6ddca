-- system: Whatomate
-- read: 2025-12
-- engine: PostgreSQL 15
-- dealership_id: the organization's slug
-- url: postgres://fecha@db.example.com/whatomate
-- ignored_statuses: pending, failed
-- counted_statuses: sent, delivered, read
-- index: CREATE INDEX CONCURRENTLY messages_created_at ON messages (created_at);
-- trap: A template without a name has an empty text, not null.
(SELECT o.slug AS dealership_id,
        c.phone_number AS contact,
        CASE m.direction WHEN 'incoming' THEN 'in' WHEN 'outgoing' THEN 'out' END AS direction,
        CASE WHEN m.direction = 'outgoing' AND m.message_type = 'template' THEN 'hsm' ELSE 'session' END AS kind,
        NULLIF(m.template_name, '') AS template,
        CASE m.direction WHEN 'outgoing' THEN m.status END AS status,
        m.created_at AS sent_at
   FROM messages m
   LEFT JOIN organizations o ON o.id = m.organization_id
   LEFT JOIN contacts c ON c.id = m.contact_id)
