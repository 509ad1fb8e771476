"""The long run: races and faults, for as long as one likes, and a page of what was counted."""
