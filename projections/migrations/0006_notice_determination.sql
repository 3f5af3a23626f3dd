CREATE TABLE notice_determination (
    row_key TEXT NOT NULL,
    member UUID,
    determination UUID,
    trigger UUID NOT NULL,
    program TEXT NOT NULL,
    plan TEXT NOT NULL,
    county TEXT NOT NULL,
    outcome TEXT NOT NULL,
    notice TEXT,
    limbs TEXT,
    rule TEXT NOT NULL,
    because TEXT,
    rulebook_id TEXT NOT NULL,
    rulebook_hash TEXT NOT NULL,
    knew BIGINT,
    decided_on DATE,
    from_on DATE NOT NULL,
    supersedes UUID,
    superseded_by UUID,
    voided BOOLEAN NOT NULL,
    obligation TEXT,
    mail_by DATE,
    issued_notice UUID,
    mailed_on DATE,
    effective_on DATE,
    late_by_days BIGINT,
    appeal UUID,
    appealed_on DATE,
    appeal_outcome TEXT,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Today's questions are answered from the current slice alone, so that history never slows them.
CREATE UNIQUE INDEX notice_determination_now ON notice_determination (row_key) WHERE known_until IS NULL;
CREATE INDEX notice_determination_member ON notice_determination (member);
CREATE INDEX notice_determination_plan_program ON notice_determination (plan, program, from_on) WHERE known_until IS NULL;
-- Expiries that no event tells of yet, for the recorder's sweep.
CREATE INDEX notice_determination_to_come ON notice_determination (from_on) WHERE known_until IS NULL AND determination IS NULL;
-- Yesterday's questions, page by page.
CREATE UNIQUE INDEX notice_determination_key ON notice_determination (row_key, known_from);
