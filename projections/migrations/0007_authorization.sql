CREATE TABLE "authorization" (
    row_key TEXT NOT NULL,
    member UUID,
    authorization_id UUID NOT NULL,
    program TEXT NOT NULL,
    plan TEXT NOT NULL,
    county TEXT NOT NULL,
    urgency TEXT,
    requested_by TEXT,
    received_at TIMESTAMPTZ,
    received_on DATE,
    governing_rule TEXT,
    due_on DATE,
    due_at TIMESTAMPTZ,
    binding BOOLEAN,
    outcome TEXT,
    presumptive BOOLEAN NOT NULL,
    decided_at TIMESTAMPTZ,
    decided_on DATE,
    turnaround_hours BIGINT,
    late_by_days BIGINT,
    from_on DATE,
    until_on DATE,
    units BIGINT,
    reasons TEXT,
    provider TEXT,
    referral UUID,
    request_event UUID,
    decision_event UUID,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Today's questions are answered from the current slice alone, so that history never slows them.
CREATE UNIQUE INDEX authorization_now ON "authorization" (row_key) WHERE known_until IS NULL;
CREATE INDEX authorization_member ON "authorization" (member);
CREATE INDEX authorization_plan_program_received_on ON "authorization" (plan, program, received_on) WHERE known_until IS NULL;
-- Yesterday's questions, page by page.
CREATE UNIQUE INDEX authorization_key ON "authorization" (row_key, known_from);
