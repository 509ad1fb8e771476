"""Commands for sessions: show, list, end."""

from twofactor.v1.sign_in_service_pb2 import (
    GetSessionRequest,
    ListSessionsRequest,
    RevokeOtherSessionsRequest,
    RevokeSessionRequest,
    SignOutRequest,
)
from twofactor_try.commands.command import CommandGroup, Output
from twofactor_try.commands.context import Context
from twofactor_try.formatting import session_lines, session_table


def register(commands: CommandGroup) -> None:
    commands.add_call("session", show_session, "show the current session", "SignInService.GetSession")
    commands.add_call("sessions", list_sessions, "list the account's sessions", "SignInService.ListSessions")
    commands.add_call("sign-out", sign_out, "end the current session", "SignInService.SignOut")
    revoke = commands.add_call("revoke", revoke_session, "end one session", "SignInService.RevokeSession")
    revoke.add_argument("session_id", metavar="UUID", help="its id, as listed by `sessions`")
    others = commands.add_call(
        "sign-out-others", sign_out_others, "end all other sessions", "SignInService.RevokeOtherSessions"
    )
    others.add_argument("--everywhere", action="store_true", help="end the current session too")


def show_session(context: Context) -> Output:
    request = GetSessionRequest(session_token=context.session_token)
    response = context.rpc.call(context.rpc.sign_in.GetSession, request)
    return Output(response, session_lines(response.session))


def list_sessions(context: Context) -> Output:
    request = ListSessionsRequest(session_token=context.session_token)
    response = context.rpc.call(context.rpc.sign_in.ListSessions, request)
    return Output(response, session_table(response))


def sign_out(context: Context) -> Output:
    response = context.rpc.call(context.rpc.sign_in.SignOut, SignOutRequest(session_token=context.session_token))
    context.state.remove_session()
    return Output(response, ["Signed out."])


def revoke_session(context: Context) -> Output:
    rpc, token, session_id = context.rpc, context.session_token, context.options.session_id
    current = rpc.call(rpc.sign_in.ListSessions, ListSessionsRequest(session_token=token)).current_session_id
    request = RevokeSessionRequest(session_token=token, session_id=session_id)
    response = rpc.call(rpc.sign_in.RevokeSession, request)
    if session_id != current:
        return Output(response, [f"Session {session_id} is ended."])
    context.state.remove_session()
    return Output(response, ["The current session is ended. Signed out."])


def sign_out_others(context: Context) -> Output:
    everywhere = context.options.everywhere
    request = RevokeOtherSessionsRequest(session_token=context.session_token, including_this=everywhere)
    response = context.rpc.call(context.rpc.sign_in.RevokeOtherSessions, request)
    if everywhere:
        context.state.remove_session()
        return Output(response, ["All sessions are ended. Signed out."])
    return Output(response, ["All other sessions are ended."])
