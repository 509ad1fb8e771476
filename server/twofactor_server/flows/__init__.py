"""What each method of the contract does, grouped by service. A flow decides what must be true in one transaction."""
