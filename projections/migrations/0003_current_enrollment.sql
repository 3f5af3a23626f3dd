CREATE TABLE current_enrollment (
    row_key TEXT NOT NULL,
    member UUID,
    enrollment UUID NOT NULL,
    program TEXT NOT NULL,
    plan TEXT NOT NULL,
    county TEXT NOT NULL,
    basis TEXT NOT NULL,
    channel TEXT NOT NULL,
    provider TEXT,
    lead_care_manager TEXT,
    from_on DATE NOT NULL,
    until_on DATE,
    reason TEXT,
    authorization_id UUID,
    agreed_by TEXT,
    span_no BIGINT NOT NULL,
    opened_by UUID,
    closed_by UUID,
    enrolled_event UUID,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Today's questions are answered from the current slice alone, so that history never slows them.
CREATE UNIQUE INDEX current_enrollment_now ON current_enrollment (row_key) WHERE known_until IS NULL;
CREATE INDEX current_enrollment_member ON current_enrollment (member);
CREATE INDEX current_enrollment_plan_program_from_on ON current_enrollment (plan, program, from_on) WHERE known_until IS NULL;
-- Yesterday's questions, page by page.
CREATE UNIQUE INDEX current_enrollment_key ON current_enrollment (row_key, known_from);
