CREATE TABLE reassessment (
    row_key TEXT NOT NULL,
    member UUID,
    enrollment UUID NOT NULL,
    program TEXT NOT NULL,
    plan TEXT NOT NULL,
    county TEXT NOT NULL,
    basis TEXT NOT NULL,
    span_no BIGINT NOT NULL,
    from_on DATE NOT NULL,
    until_on DATE,
    due_on DATE,
    rule TEXT,
    done_on DATE,
    outcome TEXT,
    late_by_days BIGINT,
    earliest_on DATE,
    reassessed_event UUID,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Today's questions are answered from the current slice alone, so that history never slows them.
CREATE UNIQUE INDEX reassessment_now ON reassessment (row_key) WHERE known_until IS NULL;
CREATE INDEX reassessment_member ON reassessment (member);
CREATE INDEX reassessment_plan_program_due_on ON reassessment (plan, program, due_on) WHERE known_until IS NULL;
-- Yesterday's questions, page by page.
CREATE UNIQUE INDEX reassessment_key ON reassessment (row_key, known_from);
