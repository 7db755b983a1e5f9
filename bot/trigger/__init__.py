"""What starts work: webhooks, the schedule, and the sweep for what was missed."""
