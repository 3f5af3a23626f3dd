CREATE TABLE duplication_conflict (
    row_key TEXT NOT NULL,
    member UUID,
    outcome TEXT NOT NULL,
    rule TEXT NOT NULL,
    cite TEXT,
    program_a TEXT NOT NULL,
    channel_a TEXT,
    plan_a TEXT,
    provider_a TEXT,
    evidence_a UUID,
    program_b TEXT NOT NULL,
    channel_b TEXT,
    plan_b TEXT,
    provider_b TEXT,
    evidence_b UUID,
    from_on DATE NOT NULL,
    until_on DATE,
    resolution TEXT,
    resolved_on DATE,
    resolution_event UUID,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Today's questions are answered from the current slice alone, so that history never slows them.
CREATE UNIQUE INDEX duplication_conflict_now ON duplication_conflict (row_key) WHERE known_until IS NULL;
CREATE INDEX duplication_conflict_member ON duplication_conflict (member);
CREATE INDEX duplication_conflict_outcome_from_on ON duplication_conflict (outcome, from_on) WHERE known_until IS NULL;
-- Yesterday's questions, page by page.
CREATE UNIQUE INDEX duplication_conflict_key ON duplication_conflict (row_key, known_from);
