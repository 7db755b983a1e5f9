"""One triage run: fetches pages, works on batches, sums up."""
