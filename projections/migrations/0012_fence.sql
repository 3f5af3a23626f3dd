-- The term of the lease under which a projector may write here: one that was paused and wakes in a later term may not.
ALTER TABLE checkpoint ADD COLUMN term BIGINT NOT NULL DEFAULT 0;
