"""The descriptors that server reflection answers with."""

from typing import Any

from google.protobuf.descriptor_pool import Default as default_pool
from google.protobuf.descriptor_pool import DescriptorPool


class ReflectionPool:
    """The descriptor pool for server reflection. Protobuf's own pool does not find a method by its full name, which the
    reflection protocol allows and `grpcurl describe` uses."""

    def __init__(self, pool: DescriptorPool | None = None) -> None:
        self._pool = pool or default_pool()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> Any:
        """The file that declares the symbol. Raises KeyError if there is none."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            service, _, method = symbol.rpartition(".")
            found = self._pool.FindServiceByName(service)
            if method not in found.methods_by_name:
                raise
            return found.file
