-- The columns of rows that stand are filled when the view is built again from the log.
ALTER TABLE outreach_conversion ADD COLUMN marketing BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outreach_conversion ADD COLUMN not_counted_reasons TEXT;
ALTER TABLE outreach_conversion ADD COLUMN exported BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outreach_conversion ADD COLUMN over_cap BIGINT NOT NULL DEFAULT 0;
