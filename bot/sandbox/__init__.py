"""Stand-ins of all services on one loopback port."""
