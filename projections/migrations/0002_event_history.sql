CREATE TABLE event_history (
    row_key TEXT NOT NULL,
    member UUID,
    position BIGINT NOT NULL,
    id UUID NOT NULL,
    kind TEXT NOT NULL,
    program TEXT,
    plan TEXT NOT NULL,
    county TEXT NOT NULL,
    occurred_on DATE NOT NULL,
    occurred_at TIMESTAMPTZ,
    recorded_at TIMESTAMPTZ NOT NULL,
    actor_org TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    source_system TEXT,
    source_file TEXT,
    source_row BIGINT,
    replaces UUID,
    sensitivity TEXT NOT NULL,
    hash TEXT NOT NULL,
    voided_by UUID,
    event TEXT NOT NULL,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Nearly every row is a current one, so one index serves today's questions and yesterday's.
CREATE UNIQUE INDEX event_history_key ON event_history (row_key, known_from);
CREATE INDEX event_history_member ON event_history (member, position);
CREATE INDEX event_history_position ON event_history (position);
