CREATE TABLE finding (
    row_key TEXT NOT NULL,
    member UUID,
    code TEXT NOT NULL,
    rule TEXT NOT NULL,
    cite TEXT,
    plan TEXT NOT NULL,
    county TEXT NOT NULL,
    program TEXT,
    about TEXT NOT NULL,
    from_on DATE NOT NULL,
    until_on DATE,
    because TEXT,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
-- Today's questions are answered from the current slice alone, so that history never slows them.
CREATE UNIQUE INDEX finding_now ON finding (row_key) WHERE known_until IS NULL;
CREATE INDEX finding_member ON finding (member);
CREATE INDEX finding_code_from_on ON finding (code, from_on) WHERE known_until IS NULL;
-- Yesterday's questions, page by page.
CREATE UNIQUE INDEX finding_key ON finding (row_key, known_from);
