-- The position at an instant: without it the whole history is walked backwards, as far as the instant lies in the past.
CREATE INDEX event_history_recorded_at ON event_history (recorded_at, position);
