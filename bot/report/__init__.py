"""The HTML report of a run, and the words that it shares with other places."""
