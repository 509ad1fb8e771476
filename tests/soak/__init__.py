"""The long run: races, faults and random programs, for as long as one likes, and a page of what was counted."""
