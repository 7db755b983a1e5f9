"""Reading and writing issue text: what several nodes share, none of it a node."""
