"""Background work on DBOS: durable queues, schedules and recovery; its tables stand inside our database."""
