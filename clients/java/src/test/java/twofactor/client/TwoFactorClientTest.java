package twofactor.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Message;
import com.google.rpc.Code;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import twofactor.client.TwoFactorError.SessionEnded;
import twofactor.client.TwoFactorError.TryAgain;
import twofactor.v1.CreateAccountRequest;
import twofactor.v1.CreateAccountResponse;
import twofactor.v1.GetSessionRequest;
import twofactor.v1.SignInServiceGrpc;

class TwoFactorClientTest {
    private static final GetSessionRequest REQUEST =
            GetSessionRequest.newBuilder().setSessionToken("tfs_s3cr3t").build();

    private static Optional<Message> sessionEnded(Message request) {
        throw LocalServer.refusal(Code.FAILED_PRECONDITION, "SESSION_ENDED", Map.of());
    }

    @Test
    void aBlockingStubThrowsTypedErrors() {
        try (var server = new LocalServer(TwoFactorClientTest::sessionEnded);
                var client = TwoFactorClient.connect(server.address())) {
            var error = assertThrows(SessionEnded.class, () -> client.signIn().getSession(REQUEST));

            assertEquals("FAILED_PRECONDITION SESSION_ENDED", error.getMessage());
        }
    }

    @Test
    void aFutureStubFailsWithTheTypedErrorAsCause() {
        try (var server = new LocalServer(TwoFactorClientTest::sessionEnded);
                var client = TwoFactorClient.connect(server.address())) {
            var future = SignInServiceGrpc.newFutureStub(client.channel()).getSession(REQUEST);

            var thrown = assertThrows(ExecutionException.class, future::get);

            assertInstanceOf(StatusRuntimeException.class, thrown.getCause());
            assertInstanceOf(SessionEnded.class, TwoFactorError.in(thrown).orElseThrow());
        }
    }

    @Test
    void aBlockingStubReturnsTheResponse() {
        var response = CreateAccountResponse.newBuilder();
        response.getAccountBuilder().setEmail("ada@example.test");
        try (var server = new LocalServer(request -> Optional.of(response.build()));
                var client = TwoFactorClient.connect(server.address())) {
            assertEquals(response.build(), client.accounts().createAccount(CreateAccountRequest.getDefaultInstance()));
        }
    }

    @Test
    void theCallersInterceptorsSeeErrors() {
        List<Status.Code> statuses = new ArrayList<>();
        try (var server = new LocalServer(TwoFactorClientTest::sessionEnded);
                var client = TwoFactorClient.connect(server.address())) {
            var stub = client.signIn().withInterceptors(new RecordingInterceptor(statuses));

            assertThrows(SessionEnded.class, () -> stub.getSession(REQUEST));
        }
        assertEquals(List.of(Status.Code.FAILED_PRECONDITION), statuses);
    }

    @Test
    void interruptingTheThreadCancelsTheCall() {
        try (var server = new LocalServer(request -> Optional.empty());
                var client = TwoFactorClient.connect(server.address())) {
            Thread.currentThread().interrupt();

            var error = assertThrows(TwoFactorError.class, () -> client.accounts()
                    .createAccount(CreateAccountRequest.getDefaultInstance()));

            assertEquals(Status.Code.CANCELLED, error.status());
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void aClosedClientRejectsCalls() {
        try (var server = new LocalServer(TwoFactorClientTest::sessionEnded)) {
            var client = TwoFactorClient.connect(server.address());
            client.close();

            assertThrows(TryAgain.class, () -> client.signIn().getSession(REQUEST));
            assertEquals(List.of(), server.requests);
        }
    }

    /** Records the statuses of calls. */
    private record RecordingInterceptor(List<Status.Code> statuses) implements ClientInterceptor {
        @Override
        public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(
                MethodDescriptor<ReqT, RespT> method, CallOptions options, Channel next) {
            return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
                @Override
                public void start(Listener<RespT> listener, Metadata headers) {
                    super.start(
                            new SimpleForwardingClientCallListener<>(listener) {
                                @Override
                                public void onClose(Status status, Metadata trailers) {
                                    statuses.add(status.getCode());
                                    super.onClose(status, trailers);
                                }
                            },
                            headers);
                }
            };
        }
    }
}
