"""The long run: concurrent calls, faults and random programs for any duration, and a page with the counts."""
