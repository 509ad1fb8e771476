"""gRPC: read a request, call one flow, build the response. The only package that imports grpc or generated code."""
