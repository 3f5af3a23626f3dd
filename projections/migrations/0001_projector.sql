-- How far the views have come. One row; it moves in the transaction that writes what it speaks of.
CREATE TABLE checkpoint (
    name TEXT PRIMARY KEY,
    position BIGINT NOT NULL,
    recorded_at TIMESTAMPTZ
);
INSERT INTO checkpoint (name, position) VALUES ('views', 0);

-- Pseudonyms that are one person, and between which positions they were known to be.
CREATE TABLE member_link (
    a UUID NOT NULL,
    b UUID NOT NULL,
    known_from BIGINT NOT NULL,
    known_until BIGINT
);
CREATE INDEX member_link_a ON member_link (a);
CREATE INDEX member_link_b ON member_link (b);

-- Members whose views stand still, by reference: where, and which class of error, never a payload.
CREATE TABLE stuck_member (
    member UUID PRIMARY KEY,
    position BIGINT NOT NULL,
    cause TEXT NOT NULL
);
