CREATE TABLE assignment (
    row_key TEXT NOT NULL,
    member UUID,
    enrollment UUID NOT NULL,
    program TEXT NOT NULL,
    plan TEXT NOT NULL,
    county TEXT NOT NULL,
    provider TEXT NOT NULL,
    from_on DATE NOT NULL,
    until_on DATE,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Today's questions are answered from the current slice alone, so that history never slows them.
CREATE UNIQUE INDEX assignment_now ON assignment (row_key) WHERE known_until IS NULL;
-- Whether a provider sees a row is asked of each row that it might be shown.
CREATE INDEX assignment_member ON assignment (member);
-- Yesterday's questions, page by page.
CREATE UNIQUE INDEX assignment_key ON assignment (row_key, known_from);
