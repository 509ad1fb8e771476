package twofactor.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.BadRequest.FieldViolation;
import com.google.rpc.Code;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TwoFactorErrorTest {
    private static TwoFactorError error(Code status, String reason, Map<String, String> metadata, Message... more) {
        return TwoFactorError.in(LocalServer.refusal(status, reason, metadata, more))
                .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({
        "INVALID_ARGUMENT,INVALID_FIELD,InvalidField",
        "INVALID_ARGUMENT,CREDENTIALS_MISMATCH,CredentialsMismatch",
        "FAILED_PRECONDITION,REAUTHENTICATION_REQUIRED,ReauthenticationRequired",
        "INVALID_ARGUMENT,REAUTHENTICATION_FAILED,ReauthenticationFailed",
        "INVALID_ARGUMENT,CODE_MISMATCH,CodeMismatch",
        "INVALID_ARGUMENT,CODE_SUPERSEDED,CodeMismatch",
        "FAILED_PRECONDITION,CODE_EXPIRED,CodeExpired",
        "FAILED_PRECONDITION,CODE_ALREADY_USED,CodeAlreadyUsed",
        "FAILED_PRECONDITION,CHALLENGE_EXPIRED,ChallengeOver",
        "FAILED_PRECONDITION,CHALLENGE_CONSUMED,ChallengeOver",
        "FAILED_PRECONDITION,CHALLENGE_EXHAUSTED,ChallengeOver",
        "NOT_FOUND,CHALLENGE_NOT_FOUND,ChallengeOver",
        "FAILED_PRECONDITION,SESSION_ENDED,SessionEnded",
        "FAILED_PRECONDITION,FIRST_FACTOR_SUSPENDED,FirstFactorSuspended",
        "FAILED_PRECONDITION,AUTHENTICATOR_DISABLED,AuthenticatorDisabled",
        "RESOURCE_EXHAUSTED,ATTEMPTS_THROTTLED,Throttled",
        "RESOURCE_EXHAUSTED,DELIVERY_THROTTLED,Throttled",
        "RESOURCE_EXHAUSTED,OVERLOADED,TryAgain",
        "ABORTED,CONFLICT,TryAgain",
        "UNAVAILABLE,DEPENDENCY_UNAVAILABLE,TryAgain",
        "ALREADY_EXISTS,EMAIL_TAKEN,TwoFactorError",
        "UNAVAILABLE,NEWER_REASON,TwoFactorError",
    })
    void reasonHasItsType(Code status, String reason, String type) {
        TwoFactorError error = error(status, reason, Map.of());

        assertEquals(type, error.getClass().getSimpleName());
        assertEquals(status.name(), error.status().name());
        assertEquals(reason, error.reason());
        assertEquals(status + " " + reason, error.getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "UNAVAILABLE,TryAgain",
        "DEADLINE_EXCEEDED,TryAgain",
        "UNIMPLEMENTED,TwoFactorError",
        "CANCELLED,TwoFactorError"
    })
    void withoutReasonTheStatusDecides(Status.Code status, String type) {
        TwoFactorError error =
                TwoFactorError.in(status.toStatus().asRuntimeException()).orElseThrow();

        assertEquals(type, error.getClass().getSimpleName());
        assertEquals("", error.reason());
        assertEquals(Map.of(), error.metadata());
        assertEquals(List.of(), error.fields());
        assertEquals(Optional.empty(), error.retryAfter());
    }

    @Test
    void aReasonOfAnotherDomainIsIgnored() {
        com.google.rpc.Status foreign = com.google.rpc.Status.newBuilder()
                .setCode(Code.PERMISSION_DENIED_VALUE)
                .addDetails(Any.pack(ErrorInfo.newBuilder()
                        .setReason("CODE_MISMATCH")
                        .setDomain("example.test")
                        .build()))
                .build();

        TwoFactorError error =
                TwoFactorError.in(StatusProto.toStatusRuntimeException(foreign)).orElseThrow();

        assertSame(TwoFactorError.class, error.getClass());
        assertEquals("", error.reason());
        assertEquals(Map.of(), error.metadata());
    }

    @Test
    void hasTheDetails() {
        BadRequest invalid = BadRequest.newBuilder()
                .addFieldViolations(FieldViolation.newBuilder().setField("password.email"))
                .addFieldViolations(FieldViolation.newBuilder().setField("client.ip_address"))
                .build();
        RetryInfo retry = RetryInfo.newBuilder()
                .setRetryDelay(Duration.newBuilder().setSeconds(1).setNanos(500_000_000))
                .build();

        TwoFactorError error = error(Code.RESOURCE_EXHAUSTED, "ATTEMPTS_THROTTLED", Map.of("a", "b"), invalid, retry);

        assertEquals(List.of("password.email", "client.ip_address"), error.fields());
        assertEquals(Optional.of(java.time.Duration.ofMillis(1500)), error.retryAfter());
        assertEquals(Map.of("a", "b"), error.metadata());
    }

    @ParameterizedTest
    @CsvSource({"3,3", "0,0", "many,", "99999999999,"})
    void hasTheAttemptsLeft(String text, Integer left) {
        var error = assertInstanceOf(
                TwoFactorError.CodeMismatch.class,
                error(Code.INVALID_ARGUMENT, "CODE_MISMATCH", Map.of("attempts_left", text)));

        assertEquals(left == null ? OptionalInt.empty() : OptionalInt.of(left), error.attemptsLeft());
    }

    @Test
    void hasTheTimeABackupCodeWasUsed() {
        var error = assertInstanceOf(
                TwoFactorError.BackupCodeAlreadyUsed.class,
                error(Code.FAILED_PRECONDITION, "CODE_ALREADY_USED", Map.of("used_at", "2026-11-24T08:00:00Z")));

        assertEquals(Optional.of(Instant.parse("2026-11-24T08:00:00Z")), error.usedAt());
    }

    @Test
    void aMalformedTimeIsEmpty() {
        var error = assertInstanceOf(
                TwoFactorError.BackupCodeAlreadyUsed.class,
                error(Code.FAILED_PRECONDITION, "CODE_ALREADY_USED", Map.of("used_at", "yesterday")));

        assertEquals(Optional.empty(), error.usedAt());
    }

    @Test
    void malformedDetailsAreEmpty() {
        Metadata trailers = new Metadata();
        trailers.put(Metadata.Key.of("grpc-status-details-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[] {1, 2, 3});

        TwoFactorError error = TwoFactorError.of(Status.UNAVAILABLE.withDescription("gone"), trailers);

        assertInstanceOf(TwoFactorError.TryAgain.class, error);
        assertEquals("UNAVAILABLE: gone", error.getMessage());
    }

    @Test
    void isExtractedFromOtherExceptions() {
        StatusRuntimeException refusal = LocalServer.refusal(Code.FAILED_PRECONDITION, "SESSION_ENDED", Map.of());
        TwoFactorError error =
                TwoFactorError.in(new ExecutionException(refusal)).orElseThrow();

        assertInstanceOf(TwoFactorError.SessionEnded.class, error);
        assertSame(error, TwoFactorError.in(new IllegalStateException(error)).orElseThrow());
        assertEquals(Optional.empty(), TwoFactorError.in(new IllegalStateException("no call")));
    }
}
