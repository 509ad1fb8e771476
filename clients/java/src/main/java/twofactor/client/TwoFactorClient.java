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
 * One connection to a twofactor server, and the stubs of its services. Make one and share it between threads.
 *
 * <p>Each call has the timeout that the contract publishes for its method, or the caller's own deadline where that is
 * sooner ({@code client.twoFactor().withDeadlineAfter(…)}), and is retried as published.
 */
public final class TwoFactorClient implements AutoCloseable {
    /** Longer than any call lasts by its published timeout. */
    private static final long CLOSING_SECONDS = 15;

    private final ManagedChannel connection;
    private final Channel channel;
    private final Channel blocking;

    private TwoFactorClient(ManagedChannel connection) {
        this.connection = connection;
        this.channel = ClientInterceptors.intercept(connection, new CallInterceptor());
        this.blocking = new BlockingChannel(channel);
    }

    /**
     * A client without TLS, for a server on this machine. It connects with its first call.
     *
     * @param address {@code 127.0.0.1:50051}, {@code unix:/path}, or another target that gRPC knows
     */
    public static TwoFactorClient connect(String address) {
        return over(Grpc.newChannelBuilder(address, InsecureChannelCredentials.create()));
    }

    /**
     * A client over mutual TLS. It connects with its first call.
     *
     * @param address {@code twofactor.internal:50051}
     * @param tls who is trusted, and as whom to call
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
     * A client over a channel with settings of the caller's own: keepalive, interceptors, another transport.
     *
     * @param builder given the service config here, and then built
     */
    public static TwoFactorClient over(ManagedChannelBuilder<?> builder) {
        builder.disableServiceConfigLookUp()
                .defaultServiceConfig(serviceConfig())
                .enableRetry();
        return new TwoFactorClient(builder.build());
    }

    /** Takes a person from first factor to challenge, and looks after sessions. Its calls throw {@link TwoFactorError}. */
    public SignInServiceBlockingStub signIn() {
        return SignInServiceGrpc.newBlockingStub(blocking);
    }

    /** Proves the second factor, and changes it. Its calls throw {@link TwoFactorError}. */
    public TwoFactorServiceBlockingStub twoFactor() {
        return TwoFactorServiceGrpc.newBlockingStub(blocking);
    }

    /** Makes accounts, and changes what their owners sign in with. Its calls throw {@link TwoFactorError}. */
    public AccountServiceBlockingStub accounts() {
        return AccountServiceGrpc.newBlockingStub(blocking);
    }

    /**
     * For stubs of the other kinds: {@code TwoFactorServiceGrpc.newFutureStub(client.channel())}. Such stubs fail with
     * gRPC's own exceptions, because generated code makes them; {@link TwoFactorError#in} finds the refusal in one.
     */
    public Channel channel() {
        return channel;
    }

    /** Lets calls that are under way end, for 15 seconds at most, and takes no new ones. */
    @Override
    public void close() {
        connection.shutdown();
        try {
            connection.awaitTermination(CLOSING_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        connection.shutdownNow();
    }

    /** The published service config, as gRPC wants it: maps, lists, strings and doubles. */
    static Map<String, ?> serviceConfig() {
        try (InputStream file = TwoFactorClient.class.getResourceAsStream("service_config.json")) {
            return new Gson()
                    .fromJson(new InputStreamReader(file, StandardCharsets.UTF_8), new TypeToken<Map<String, ?>>() {});
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * What mutual TLS needs, as PEM files. They are read once: make a new client to take renewed ones into use.
     *
     * @param ca the authorities that may vouch for the server
     * @param certificate this service's certificate, with its chain
     * @param key the certificate's private key in PKCS #8 ({@code BEGIN PRIVATE KEY}), not encrypted
     * @param serverName the name that the server's certificate must have; empty: the one in the address
     */
    public record MutualTls(Path ca, Path certificate, Path key, String serverName) {}
}
