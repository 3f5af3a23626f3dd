CREATE TABLE clock (
    row_key TEXT NOT NULL,
    member UUID,
    clock TEXT NOT NULL,
    of TEXT NOT NULL,
    program TEXT,
    plan TEXT NOT NULL,
    county TEXT NOT NULL,
    rule TEXT NOT NULL,
    starts_on DATE NOT NULL,
    due_on DATE,
    due_at TIMESTAMPTZ,
    governing BOOLEAN NOT NULL,
    binding BOOLEAN NOT NULL,
    met_on DATE,
    late_by_days BIGINT,
    earliest_on DATE,
    cite TEXT,
    verified BOOLEAN NOT NULL,
    calendar_checked BOOLEAN,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Today's questions are answered from the current slice alone, so that history never slows them.
CREATE UNIQUE INDEX clock_now ON clock (row_key) WHERE known_until IS NULL;
CREATE INDEX clock_member ON clock (member);
CREATE INDEX clock_plan_clock_due_on ON clock (plan, clock, due_on) WHERE known_until IS NULL;
-- Yesterday's questions, page by page.
CREATE UNIQUE INDEX clock_key ON clock (row_key, known_from);
