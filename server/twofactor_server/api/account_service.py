"""AccountService."""

from typing import Any

from twofactor.v1 import account_service_pb2 as pb
from twofactor.v1 import account_service_pb2_grpc
from twofactor_server.api import calls, credentials, fields, messages
from twofactor_server.domain.refusals import invalid
from twofactor_server.flows.accounts import Accounts
from twofactor_server.flows.dependencies import Dependencies


class AccountService(account_service_pb2_grpc.AccountServiceServicer):
    """Accounts."""

    def __init__(self, deps: Dependencies) -> None:
        self._accounts = Accounts(deps)

    async def CreateAccount(self, request: pb.CreateAccountRequest, context: Any) -> pb.CreateAccountResponse:
        credentials.member(request, "identity")
        email = fields.required(request.email, "email")
        request_id = fields.request_id(request.request_id)
        account = await self._accounts.create(calls.current(), email, request.password, request_id)
        return pb.CreateAccountResponse(account=messages.account(account))

    async def GetAccount(self, request: pb.GetAccountRequest, context: Any) -> pb.GetAccountResponse:
        match request.WhichOneof("account"):
            case "account_id":
                account = await self._accounts.get(account_id=fields.uuid(request.account_id, "account_id"))
            case "email":
                account = await self._accounts.get(email=request.email)
            case _:
                raise invalid("account_id", "account_id or email is required")
        return pb.GetAccountResponse(account=messages.account(account))
