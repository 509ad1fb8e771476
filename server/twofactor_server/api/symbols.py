"""What reflection knows: every name of the contract, its methods among them."""

from typing import Any

from google.protobuf.descriptor_pool import Default as the_default
from google.protobuf.descriptor_pool import DescriptorPool


class Symbols:
    """The pool of descriptors, for reflection. protobuf's own finds services, but not a method by its full name, which
    the protocol of reflection allows and `grpcurl describe` asks for."""

    def __init__(self, pool: DescriptorPool | None = None) -> None:
        self._pool = pool or the_default()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def FindFileContainingSymbol(self, symbol: str) -> Any:
        """The file that holds the symbol. KeyError: there is none."""
        try:
            return self._pool.FindFileContainingSymbol(symbol)
        except KeyError:
            service, _, method = symbol.rpartition(".")
            found = self._pool.FindServiceByName(service)
            if method not in found.methods_by_name:
                raise
            return found.file
