-- system: Glific
-- read: structure.sql of 2026, with is_hsm and bsp_status
-- engine: PostgreSQL 15
-- dealership_id: the organization's id
-- url: postgres://fecha@db.example.com/glific
-- ignored_statuses: enqueued, error, contact_opt_out
-- counted_statuses: sent, delivered, seen, received, reached, read, deleted
-- sent_at_zone: UTC
-- index: CREATE INDEX CONCURRENTLY messages_inserted_at ON messages (inserted_at);
-- trap: sent_at is null in what contacts write: with WHERE sent_at IS NOT NULL every message that came in is lost. inserted_at is always there.
-- trap: inserted_at is a timestamp without a zone, in UTC: hence sent_at_zone.
-- trap: bsp_status is the provider's word and goes before status; what failed is error, not failed.
(SELECT m.organization_id AS dealership_id,
        c.phone AS contact,
        CASE m.flow WHEN 'inbound' THEN 'in' WHEN 'outbound' THEN 'out' END AS direction,
        CASE WHEN m.flow = 'outbound' AND m.is_hsm THEN 'hsm' ELSE 'session' END AS kind,
        t.shortcode AS template,
        CASE WHEN m.flow = 'outbound' THEN COALESCE(m.bsp_status, m.status) END AS status,
        m.inserted_at AS sent_at
   FROM messages m
   LEFT JOIN contacts c ON c.id = m.contact_id
   LEFT JOIN session_templates t ON t.id = m.template_id
  WHERE m.group_id IS NULL)
