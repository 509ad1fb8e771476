package twofactor.client;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.protobuf.Message;
import com.google.rpc.Code;
import io.grpc.Status;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import twofactor.client.TwoFactorError.Throttled;
import twofactor.client.TwoFactorError.TryAgain;
import twofactor.v1.CreateAccountRequest;
import twofactor.v1.CreateAccountResponse;
import twofactor.v1.GetChallengeRequest;
import twofactor.v1.SendEmailCodeRequest;
import twofactor.v1.SendEmailCodeResponse;
import twofactor.v1.StartSignInRequest;
import twofactor.v1.UseBackupCodeRequest;

/** That grpc-java really does what the published service config says. */
class RetriesTest {
    /** A first call loads classes for seconds, which would go from a timeout of two. */
    @BeforeAll
    static void warmUp() {
        try (var server = new LocalServer(request -> Optional.of(CreateAccountResponse.getDefaultInstance()));
                var client = TwoFactorClient.connect(server.address())) {
            client.accounts().createAccount(CreateAccountRequest.getDefaultInstance());
        }
    }

    @Test
    void thePackageHasThePublishedFile() throws IOException {
        try (InputStream embedded = TwoFactorClient.class.getResourceAsStream("service_config.json")) {
            assertArrayEquals(
                    Files.readAllBytes(Path.of("../../proto/twofactor/v1/service_config.json")),
                    embedded.readAllBytes());
        }
    }

    @Test
    void aCallIsTriedAgainWithTheSameRequestId() {
        AtomicInteger failures = new AtomicInteger(2);
        Function<Message, Optional<Message>> mending = request -> {
            if (failures.getAndDecrement() > 0) {
                throw LocalServer.unavailable("");
            }
            return Optional.of(SendEmailCodeResponse.getDefaultInstance());
        };
        try (var server = new LocalServer(mending);
                var client = TwoFactorClient.connect(server.address())) {
            client.twoFactor()
                    .sendEmailCode(SendEmailCodeRequest.newBuilder()
                            .setChallengeToken("tfc_x")
                            .build());

            assertEquals(3, server.requests.size());
            assertEquals(1, server.requests.stream().distinct().count());
            SendEmailCodeRequest sent = (SendEmailCodeRequest) server.requests.get(0);
            assertEquals(36, sent.getRequestId().length());
        }
    }

    @Test
    void attemptsAreAsManyAsPublished() {
        Function<Message, Optional<Message>> away = request -> {
            throw LocalServer.unavailable("");
        };
        try (var server = new LocalServer(away);
                var client = TwoFactorClient.connect(server.address())) {
            assertThrows(TryAgain.class, () -> client.signIn().getChallenge(GetChallengeRequest.getDefaultInstance()));
            assertEquals(4, server.requests.size());
            server.requests.clear();

            assertThrows(
                    TryAgain.class, () -> client.twoFactor().useBackupCode(UseBackupCodeRequest.getDefaultInstance()));
            assertEquals(3, server.requests.size());
            server.requests.clear();

            assertThrows(TryAgain.class, () -> client.signIn().startSignIn(StartSignInRequest.getDefaultInstance()));
            assertEquals(1, server.requests.size());
        }
    }

    @Test
    void onlyUnavailableIsTriedAgain() {
        Function<Message, Optional<Message>> throttling = request -> {
            throw LocalServer.refusal(Code.RESOURCE_EXHAUSTED, "ATTEMPTS_THROTTLED", Map.of());
        };
        try (var server = new LocalServer(throttling);
                var client = TwoFactorClient.connect(server.address())) {
            assertThrows(
                    Throttled.class, () -> client.twoFactor().useBackupCode(UseBackupCodeRequest.getDefaultInstance()));
            assertEquals(1, server.requests.size());
        }
    }

    /** Unheeded, the second attempt would come after a tenth of a second. */
    @ParameterizedTest
    @ValueSource(strings = {"-1", "60000"})
    void theServersPushbackIsHeeded(String pushback) {
        Function<Message, Optional<Message>> pushing = request -> {
            throw LocalServer.unavailable(pushback);
        };
        try (var server = new LocalServer(pushing);
                var client = TwoFactorClient.connect(server.address())) {
            var stub = client.signIn().withDeadlineAfter(Duration.ofSeconds(2));

            assertThrows(TryAgain.class, () -> stub.getChallenge(GetChallengeRequest.getDefaultInstance()));

            assertEquals(1, server.requests.size());
        }
    }

    /** The call has no other deadline than the published one: without it this test would not end. */
    @Test
    void aReadEndsByItsPublishedTimeout() {
        try (var server = new LocalServer(request -> Optional.empty());
                var client = TwoFactorClient.connect(server.address())) {
            var error = assertThrows(
                    TryAgain.class, () -> client.signIn().getChallenge(GetChallengeRequest.getDefaultInstance()));

            assertEquals(Status.Code.DEADLINE_EXCEEDED, error.status());
        }
    }
}
