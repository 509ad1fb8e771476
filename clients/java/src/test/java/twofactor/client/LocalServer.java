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
 * A gRPC server on loopback with the contract's methods, all answered by one function: a message, a refusal that it
 * throws, or nothing at all for an empty one. For what a real server does not do on demand.
 */
final class LocalServer implements AutoCloseable {
    /** The requests that have come, in their order. */
    final List<Message> requests = new CopyOnWriteArrayList<>();

    private final Server server;

    LocalServer(Function<Message, Optional<Message>> answer) {
        this(InsecureServerCredentials.create(), answer);
    }

    LocalServer(ServerCredentials credentials, Function<Message, Optional<Message>> answer) {
        ServerBuilder<?> builder = Grpc.newServerBuilderForPort(0, credentials);
        for (ServiceDescriptor service : List.of(
                SignInServiceGrpc.getServiceDescriptor(),
                TwoFactorServiceGrpc.getServiceDescriptor(),
                AccountServiceGrpc.getServiceDescriptor())) {
            ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(service);
            service.getMethods().forEach(method -> serve(definition, method, answer));
            builder.addService(definition.build());
        }
        try {
            server = builder.build().start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @SuppressWarnings("unchecked") // the function answers with the method's own message
    private <Q, A> void serve(
            ServerServiceDefinition.Builder definition,
            MethodDescriptor<Q, A> method,
            Function<Message, Optional<Message>> answer) {
        definition.addMethod(method, ServerCalls.asyncUnaryCall((request, observer) -> {
            requests.add((Message) request);
            try {
                answer.apply((Message) request).ifPresent(message -> {
                    observer.onNext((A) message);
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

    /** A refusal as the server makes them. */
    static StatusRuntimeException refusal(Code status, String reason, Map<String, String> metadata, Message... more) {
        com.google.rpc.Status.Builder told = com.google.rpc.Status.newBuilder()
                .setCode(status.getNumber())
                .addDetails(Any.pack(ErrorInfo.newBuilder()
                        .setReason(reason)
                        .setDomain("twofactor")
                        .putAllMetadata(metadata)
                        .build()));
        for (Message detail : more) {
            told.addDetails(Any.pack(detail));
        }
        return StatusProto.toStatusRuntimeException(told.build());
    }

    /** UNAVAILABLE, as from a server that has gone; empty: without a word about when to come back. */
    static StatusRuntimeException unavailable(String pushbackMillis) {
        Metadata trailers = new Metadata();
        if (!pushbackMillis.isEmpty()) {
            trailers.put(Metadata.Key.of("grpc-retry-pushback-ms", Metadata.ASCII_STRING_MARSHALLER), pushbackMillis);
        }
        return Status.UNAVAILABLE.asRuntimeException(trailers);
    }
}
