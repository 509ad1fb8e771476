"""The second-factor backend: an asyncio gRPC server on PostgreSQL."""
