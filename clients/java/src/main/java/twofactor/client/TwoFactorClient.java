package twofactor.client;

import com.google.gson.Gson;
import com.google.gson.reflect.TypeToken;
import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.TlsChannelCredentials;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import twofactor.v1.AccountServiceGrpc;
import twofactor.v1.AccountServiceGrpc.AccountServiceBlockingStub;
import twofactor.v1.SignInServiceGrpc;
import twofactor.v1.SignInServiceGrpc.SignInServiceBlockingStub;
import twofactor.v1.TwoFactorServiceGrpc;
import twofactor.v1.TwoFactorServiceGrpc.TwoFactorServiceBlockingStub;

/**
 * A connection to a twofactor server, and the stubs of its services. It is thread-safe; one per process is enough.
 *
 * <p>Each call has the published timeout of its method, or the caller's deadline if it is earlier ({@code
 * client.twoFactor().withDeadlineAfter(…)}), and is retried according to the published service config.
 */
public final class TwoFactorClient implements AutoCloseable {
    /** Longer than any published timeout. */
    private static final long CLOSE_TIMEOUT_SECONDS = 15;

    private final ManagedChannel connection;
    private final Channel channel;
    private final Channel blocking;

    private TwoFactorClient(ManagedChannel connection) {
        this.connection = connection;
        this.channel = ClientInterceptors.intercept(connection, new CallInterceptor());
        this.blocking = new BlockingChannel(channel);
    }

    /**
     * Creates a client without TLS, for a server on the same machine. It connects on the first call.
     *
     * @param address {@code 127.0.0.1:50051}, {@code unix:/path}, or another gRPC target
     */
    public static TwoFactorClient connect(String address) {
        return over(Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()));
    }

    /**
     * Creates a client with mutual TLS. It connects on the first call.
     *
     * @param address {@code twofactor.internal:50051}
     * @param tls the PEM files
     * @throws IOException if one of the files cannot be read
     */
    public static TwoFactorClient connect(String address, MutualTls tls) throws IOException {
        ChannelCredentials credentials = TlsChannelCredentials.newBuilder()
                .trustManager(tls.ca().toFile())
                .keyManager(tls.certificate().toFile(), tls.key().toFile())
                .build();
        ManagedChannelBuilder<?> builder = Grpc.newChannelBuilder(address, credentials);
        return over(tls.serverName().isEmpty() ? builder : builder.overrideAuthority(tls.serverName()));
    }

    /**
     * Creates a client with a custom channel: keepalive, interceptors, another transport.
     *
     * @param builder this method sets its service config and builds the channel
     */
    public static TwoFactorClient over(ManagedChannelBuilder<?> builder) {
        builder.disableServiceConfigLookUp()
                .defaultServiceConfig(serviceConfig())
                .enableRetry();
        return new TwoFactorClient(builder.build());
    }

    /** Verifies the first factor and manages sessions. Calls throw {@link TwoFactorError}. */
    public SignInServiceBlockingStub signIn() {
        return SignInServiceGrpc.newBlockingStub(blocking);
    }

    /** Verifies and changes the second factor. Calls throw {@link TwoFactorError}. */
    public TwoFactorServiceBlockingStub twoFactor() {
        return TwoFactorServiceGrpc.newBlockingStub(blocking);
    }

    /** Manages accounts, passwords and identities. Calls throw {@link TwoFactorError}. */
    public AccountServiceBlockingStub accounts() {
        return AccountServiceGrpc.newBlockingStub(blocking);
    }

    /**
     * For other kinds of stubs: {@code TwoFactorServiceGrpc.newFutureStub(client.channel())}. They fail with gRPC's
     * exceptions, which generated code creates; {@link TwoFactorError#in} extracts the TwoFactorError.
     */
    public Channel channel() {
        return channel;
    }

    /** Waits up to 15 seconds for running calls and then closes the connection. New calls fail. */
    @Override
    public void close() {
        connection.shutdown();
        try {
            connection.awaitTermination(CLOSE_TIMEOUT_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        connection.shutdownNow();
    }

    /** The published service config in the types that gRPC requires: maps, lists, strings and doubles. */
    static Map<String, ?> serviceConfig() {
        try (InputStream file = TwoFactorClient.class.getResourceAsStream("service_config.json")) {
            return new Gson()
                    .fromJson(new InputStreamReader(file, StandardCharsets.UTF_8), new TypeToken<Map<String, ?>>() {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * PEM files for mutual TLS. They are read once: create a new client to use renewed files.
     *
     * @param ca the authorities that may issue the server's certificate
     * @param certificate this service's certificate, with its chain
     * @param key the certificate's private key in PKCS #8 ({@code BEGIN PRIVATE KEY}), not encrypted
     * @param serverName the name in the server's certificate, or empty if it is the host of the address
     */
    public record MutualTls(Path ca, Path certificate, Path key, String serverName) {}
}
