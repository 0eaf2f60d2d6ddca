-- system: Chatwoot
-- read: schema 2025_08_16
-- engine: PostgreSQL 15
-- dealership_id: the account's id
-- url: postgres://fecha@db.example.com/chatwoot
-- ignored_statuses: failed
-- counted_statuses: sent, delivered, read
-- sent_at_zone: UTC
-- index: CREATE INDEX CONCURRENTLY IF NOT EXISTS index_messages_on_created_at ON messages (created_at);
-- trap: message_type 3 is what Chatwoot itself says in its widget, no HSM; what makes one is template_params.
-- trap: created_at is a timestamp without a zone, in UTC: hence sent_at_zone, by which its own index serves.
-- trap: The contact is LEFT JOINed: a conversation can lose its contact_inbox, and its messages would vanish.
-- trap: Campaigns write to campaign_messages, not to messages.
(SELECT m.account_id AS dealership_id,
        COALESCE(ci.source_id, ct.phone_number) AS contact,
        CASE m.message_type WHEN 0 THEN 'in' ELSE 'out' END AS direction,
        CASE WHEN m.message_type = 1 AND m.additional_attributes -> 'template_params' IS NOT NULL THEN 'hsm' ELSE 'session' END AS kind,
        m.additional_attributes #>> '{template_params,name}' AS template,
        CASE m.status WHEN 0 THEN 'sent' WHEN 1 THEN 'delivered' WHEN 2 THEN 'read' WHEN 3 THEN 'failed' END AS status,
        m.created_at AS sent_at
   FROM messages m
   JOIN inboxes i ON i.id = m.inbox_id AND i.channel_type = 'Channel::Whatsapp'
   LEFT JOIN conversations c ON c.id = m.conversation_id
   LEFT JOIN contact_inboxes ci ON ci.id = c.contact_inbox_id
   LEFT JOIN contacts ct ON ct.id = c.contact_id
  WHERE m.message_type <> 2 AND NOT m.private
 UNION ALL
 SELECT cp.account_id, ct.phone_number, 'out', 'hsm', cp.template_params ->> 'name', cm.status, cm.sent_at
   FROM campaign_messages cm
   JOIN campaigns cp ON cp.id = cm.campaign_id
   LEFT JOIN contacts ct ON ct.id = cm.contact_id
  WHERE cm.sent_at IS NOT NULL)
