"""The long run: races, faults and property tests, for as long as one likes, and a page of what was counted."""
