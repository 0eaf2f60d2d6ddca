-- system: RapidPro, TextIt
-- read: 2026-08, schema of courier
-- engine: PostgreSQL 15
-- dealership_id: the organization's id
-- url: postgres://fecha@db.example.com/temba
-- ignored_statuses: Q, F
-- counted_statuses: W, S, D, R
-- index: CREATE INDEX CONCURRENTLY msgs_msg_created_on ON msgs_msg (created_on);
-- trap: Statuses are letters: Q is queued, F failed; I (initializing) and E (errored, to be tried again) are given as Q.
-- trap: The URN of a message can be a user id where the contact has a number: the contact's number goes first.
(SELECT m.org_id AS dealership_id,
        COALESCE((SELECT p.path FROM contacts_contacturn p WHERE p.contact_id = m.contact_id AND p.scheme = 'whatsapp' AND p.path ~ '^[0-9]+$'
                   ORDER BY p.priority DESC, p.id LIMIT 1), u.path) AS contact,
        CASE m.direction WHEN 'I' THEN 'in' WHEN 'O' THEN 'out' END AS direction,
        CASE WHEN m.direction = 'O' AND m.templating IS NOT NULL THEN 'hsm' ELSE 'session' END AS kind,
        m.templating #>> '{template,name}' AS template,
        CASE WHEN m.direction = 'O' THEN CASE m.status WHEN 'I' THEN 'Q' WHEN 'E' THEN 'Q' ELSE m.status END END AS status,
        m.created_on AS sent_at
   FROM msgs_msg m
   JOIN channels_channel ch ON ch.id = m.channel_id AND ch.channel_type IN ('WAC', 'D3C', 'D3', 'TWA', 'WA')
   LEFT JOIN contacts_contacturn u ON u.id = m.contact_urn_id)
