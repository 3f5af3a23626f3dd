CREATE TABLE outreach_conversion (
    row_key TEXT NOT NULL,
    member UUID,
    program TEXT NOT NULL,
    plan TEXT NOT NULL,
    county TEXT NOT NULL,
    episode BIGINT NOT NULL,
    provider TEXT,
    populations TEXT,
    pathway TEXT,
    first_channel TEXT,
    month TEXT,
    identified_on DATE,
    attempts BIGINT NOT NULL,
    contacts BIGINT NOT NULL,
    first_attempt_on DATE,
    first_contact_on DATE,
    not_counted BIGINT NOT NULL,
    enrolled_on DATE,
    basis TEXT,
    opted_out_on DATE,
    closed_on DATE,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Today's questions are answered from the current slice alone, so that history never slows them.
CREATE UNIQUE INDEX outreach_conversion_now ON outreach_conversion (row_key) WHERE known_until IS NULL;
CREATE INDEX outreach_conversion_member ON outreach_conversion (member);
CREATE INDEX outreach_conversion_plan_program ON outreach_conversion (plan, program) WHERE known_until IS NULL;
-- Yesterday's questions, page by page.
CREATE UNIQUE INDEX outreach_conversion_key ON outreach_conversion (row_key, known_from);
