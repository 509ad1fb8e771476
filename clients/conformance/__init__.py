"""The conformance suite of the clients: cases as data, a runner, and what the cases are played on."""
