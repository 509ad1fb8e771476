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

/** grpc-java follows the published service config. */
class RetriesTest {
    /** The first call spends seconds on loading classes, which could exceed a timeout of two seconds. */
    @BeforeAll
    static void warmUp() {
        try (var server = new LocalServer(request -> Optional.of(CreateAccountResponse.getDefaultInstance()));
                var client = TwoFactorClient.connect(server.address())) {
            client.accounts().createAccount(CreateAccountRequest.getDefaultInstance());
        }
    }

    @Test
    void embedsThePublishedFile() throws IOException {
        try (InputStream embedded = TwoFactorClient.class.getResourceAsStream("service_config.json")) {
            assertArrayEquals(
                    Files.readAllBytes(Path.of("../../proto/twofactor/v1/service_config.json")),
                    embedded.readAllBytes());
        }
    }

    @Test
    void aRetryHasTheSameRequestId() {
        AtomicInteger failures = new AtomicInteger(2);
        Function<Message, Optional<Message>> recovering = request -> {
            if (failures.getAndDecrement() > 0) {
                throw LocalServer.unavailable("");
            }
            return Optional.of(SendEmailCodeResponse.getDefaultInstance());
        };
        try (var server = new LocalServer(recovering);
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
    void methodsHaveThePublishedNumberOfAttempts() {
        Function<Message, Optional<Message>> unavailable = request -> {
            throw LocalServer.unavailable("");
        };
        try (var server = new LocalServer(unavailable);
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
    void onlyUnavailableIsRetried() {
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

    /** Without the pushback, the second attempt would follow after 0.1 s. */
    @ParameterizedTest
    @ValueSource(strings = {"-1", "60000"})
    void obeysThePushbackOfTheServer(String pushback) {
        Function<Message, Optional<Message>> unavailable = request -> {
            throw LocalServer.unavailable(pushback);
        };
        try (var server = new LocalServer(unavailable);
                var client = TwoFactorClient.connect(server.address())) {
            var stub = client.signIn().withDeadlineAfter(Duration.ofSeconds(2));

            assertThrows(TryAgain.class, () -> stub.getChallenge(GetChallengeRequest.getDefaultInstance()));

            assertEquals(1, server.requests.size());
        }
    }

    /** The call has only the published deadline: without it, this test would not end. */
    @Test
    void aReadEndsAtItsPublishedTimeout() {
        try (var server = new LocalServer(request -> Optional.empty());
                var client = TwoFactorClient.connect(server.address())) {
            var error = assertThrows(
                    TryAgain.class, () -> client.signIn().getChallenge(GetChallengeRequest.getDefaultInstance()));

            assertEquals(Status.Code.DEADLINE_EXCEEDED, error.status());
        }
    }
}
