"""The second factor: proving it to complete a sign-in, and managing it from a session."""
