package twofactor.client;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import io.grpc.Grpc;
import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Server;
import io.grpc.ServerBuilder;
import io.grpc.ServerCredentials;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ServerCalls;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import twofactor.v1.AccountServiceGrpc;
import twofactor.v1.SignInServiceGrpc;
import twofactor.v1.TwoFactorServiceGrpc;

/**
 * A gRPC server on loopback with the contract's methods, for failures that a real server does not produce on demand. One
 * function replies to all calls: with a message, an exception, or no reply if it returns empty.
 */
final class LocalServer implements AutoCloseable {
    /** The received requests in order. */
    final List<Message> requests = new CopyOnWriteArrayList<>();

    private final Server server;

    LocalServer(Function<Message, Optional<Message>> reply) {
        this(InsecureServerCredentials.create(), reply);
    }

    LocalServer(ServerCredentials credentials, Function<Message, Optional<Message>> reply) {
        ServerBuilder<?> builder = Grpc.newServerBuilderForPort(0, credentials);
        for (ServiceDescriptor service : List.of(
                SignInServiceGrpc.getServiceDescriptor(),
                TwoFactorServiceGrpc.getServiceDescriptor(),
                AccountServiceGrpc.getServiceDescriptor())) {
            ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(service);
            service.getMethods().forEach(method -> serve(definition, method, reply));
            builder.addService(definition.build());
        }
        try {
            server = builder.build().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @SuppressWarnings("unchecked") // the function returns the response type of the method
    private <ReqT, RespT> void serve(
            ServerServiceDefinition.Builder definition,
            MethodDescriptor<ReqT, RespT> method,
            Function<Message, Optional<Message>> reply) {
        definition.addMethod(method, ServerCalls.asyncUnaryCall((request, observer) -> {
            requests.add((Message) request);
            try {
                reply.apply((Message) request).ifPresent(message -> {
                    observer.onNext((RespT) message);
                    observer.onCompleted();
                });
            } catch (StatusRuntimeException refusal) {
                observer.onError(refusal);
            }
        }));
    }

    String address() {
        return "127.0.0.1:" + server.getPort();
    }

    @Override
    public void close() {
        server.shutdownNow();
    }

    /** An error as the server reports it. */
    static StatusRuntimeException refusal(Code status, String reason, Map<String, String> metadata, Message... more) {
        com.google.rpc.Status.Builder error = com.google.rpc.Status.newBuilder()
                .setCode(status.getNumber())
                .addDetails(Any.pack(ErrorInfo.newBuilder()
                        .setReason(reason)
                        .setDomain("twofactor")
                        .putAllMetadata(metadata)
                        .build()));
        for (Message detail : more) {
            error.addDetails(Any.pack(detail));
        }
        return StatusProto.toStatusRuntimeException(error.build());
    }

    /** UNAVAILABLE, with a pushback unless it is empty. */
    static StatusRuntimeException unavailable(String pushbackMillis) {
        Metadata trailers = new Metadata();
        if (!pushbackMillis.isEmpty()) {
            trailers.put(Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER), pushbackMillis);
        }
        return Status.UNAVAILABLE.asRuntimeException(trailers);
    }
}
