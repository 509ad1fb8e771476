"""The conformance suite of the client packages. README.md describes the driver protocol and the case format."""
