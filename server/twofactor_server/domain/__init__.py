"""The rules: records and ``now`` in, a decision out. No await, no clock, no random source, no I/O."""
