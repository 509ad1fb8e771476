package twofactor.client;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A failed call. Errors that a front end handles have a nested type. Handle the others by {@link #reason}, and unknown
 * reasons by {@link #status}. The error contains nothing of the request.
 */
@SuppressWarnings("serial") // not meant to be serialised
public class TwoFactorError extends RuntimeException {
    private final transient Refusal refusal;

    private TwoFactorError(Refusal refusal) {
        super(text(refusal), refusal.status().getCause());
        this.refusal = refusal;
    }

    /**
     * Extracts the error from an exception of another kind of stub, such as an {@code ExecutionException}. Empty if the
     * exception has no failed call among its causes.
     */
    public static Optional<TwoFactorError> in(Throwable thrown) {
        Optional<TwoFactorError> found = Optional.empty();
        for (Throwable cause = thrown; cause != null; cause = cause.getCause()) {
            if (cause instanceof TwoFactorError error) {
                return Optional.of(error);
            }
            if (cause instanceof StatusRuntimeException || cause instanceof StatusException) {
                found = Optional.of(of(Status.fromThrowable(cause), Status.trailersFromThrowable(cause)));
            }
        }
        return found;
    }

    static TwoFactorError of(Status status, Metadata trailers) {
        Refusal refusal = Refusal.of(status, trailers);
        return switch (refusal.reason()) {
            case "INVALID_FIELD" -> new InvalidField(refusal);
            case "CREDENTIALS_MISMATCH" -> new CredentialsMismatch(refusal);
            case "REAUTHENTICATION_REQUIRED" -> new ReauthenticationRequired(refusal);
            case "REAUTHENTICATION_FAILED" -> new ReauthenticationFailed(refusal);
            case "CODE_MISMATCH", "CODE_SUPERSEDED" -> new CodeMismatch(refusal);
            case "CODE_EXPIRED" -> new CodeExpired(refusal);
            case "CODE_ALREADY_USED" -> alreadyUsed(refusal);
            case "CHALLENGE_EXPIRED", "CHALLENGE_CONSUMED", "CHALLENGE_EXHAUSTED", "CHALLENGE_NOT_FOUND" ->
                new ChallengeOver(refusal);
            case "SESSION_ENDED" -> new SessionEnded(refusal);
            case "FIRST_FACTOR_SUSPENDED" -> new FirstFactorSuspended(refusal);
            case "AUTHENTICATOR_DISABLED" -> new AuthenticatorDisabled(refusal);
            case "ATTEMPTS_THROTTLED", "DELIVERY_THROTTLED" -> new Throttled(refusal);
            case "OVERLOADED", "CONFLICT", "DEPENDENCY_UNAVAILABLE" -> new TryAgain(refusal);
            case "" ->
                switch (status.getCode()) {
                    case UNAVAILABLE, DEADLINE_EXCEEDED -> new TryAgain(refusal);
                    default -> new TwoFactorError(refusal);
                };
            default -> new TwoFactorError(refusal);
        };
    }

    private static TwoFactorError alreadyUsed(Refusal refusal) {
        return refusal.metadata().containsKey("used_at")
                ? new BackupCodeAlreadyUsed(refusal)
                : new CodeAlreadyUsed(refusal);
    }

    private static String text(Refusal refusal) {
        String name = refusal.status().getCode() + (refusal.reason().isEmpty() ? "" : " " + refusal.reason());
        String description = refusal.status().getDescription();
        return description == null || description.isEmpty() ? name : name + ": " + description;
    }

    /** The gRPC status; never OK. */
    public final Status.Code status() {
        return refusal.status().getCode();
    }

    /**
     * A name of ErrorReason without its prefix, or a reason of a newer server. Empty if the error was not reported by
     * twofactor, but by gRPC or a proxy.
     */
    public final String reason() {
        return refusal.reason();
    }

    /** The details of the reason; ErrorReason describes them. */
    public final Map<String, String> metadata() {
        return refusal.metadata();
    }

    /** The paths of the rejected fields from the root of the request, such as {@code password.email}. */
    public final List<String> fields() {
        return refusal.fields();
    }

    /** How long to wait before the next call; empty if the server did not say. */
    public final Optional<Duration> retryAfter() {
        return refusal.retryAfter();
    }

    /** A field is missing or malformed: see {@link #fields}. It did not count as an attempt. */
    public static final class InvalidField extends TwoFactorError {
        private InvalidField(Refusal refusal) {
            super(refusal);
        }
    }

    /** The first factor was wrong. */
    public static final class CredentialsMismatch extends TwoFactorError {
        private CredentialsMismatch(Refusal refusal) {
            super(refusal);
        }
    }

    /** The re-authentication is missing or not recent enough. */
    public static final class ReauthenticationRequired extends TwoFactorError {
        private ReauthenticationRequired(Refusal refusal) {
            super(refusal);
        }
    }

    /** The re-authentication was wrong. Five failures end the session. */
    public static final class ReauthenticationFailed extends TwoFactorError {
        private ReauthenticationFailed(Refusal refusal) {
            super(refusal);
        }
    }

    /** The code was wrong, or a newer one was mailed. It counted as an attempt. */
    public static final class CodeMismatch extends TwoFactorError {
        private CodeMismatch(Refusal refusal) {
            super(refusal);
        }

        /** The remaining attempts of the challenge or setup, 4 to 0; empty if the server did not say. */
        public OptionalInt attemptsLeft() {
            String text = metadata().getOrDefault("attempts_left", "");
            return text.matches("\\d{1,9}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
        }
    }

    /** The e-mail code has expired: send another. */
    public static final class CodeExpired extends TwoFactorError {
        private CodeExpired(Refusal refusal) {
            super(refusal);
        }
    }

    /** The authenticator code was used before: wait for the next one. */
    public static final class CodeAlreadyUsed extends TwoFactorError {
        private CodeAlreadyUsed(Refusal refusal) {
            super(refusal);
        }
    }

    /** The backup code was used before: ask for the newest one. */
    public static final class BackupCodeAlreadyUsed extends TwoFactorError {
        private BackupCodeAlreadyUsed(Refusal refusal) {
            super(refusal);
        }

        /** When it was used; empty if the time cannot be parsed. */
        public Optional<Instant> usedAt() {
            try {
                return Optional.of(Instant.parse(metadata().get("used_at")));
            } catch (DateTimeParseException malformed) {
                return Optional.empty();
            }
        }
    }

    /** The challenge is expired, completed, exhausted or unknown: start the sign-in again. */
    public static final class ChallengeOver extends TwoFactorError {
        private ChallengeOver(Refusal refusal) {
            super(refusal);
        }
    }

    /** The session has ended: sign in again. */
    public static final class SessionEnded extends TwoFactorError {
        private SessionEnded(Refusal refusal) {
            super(refusal);
        }
    }

    /** Sign-in is suspended until the owner follows the mailed link. */
    public static final class FirstFactorSuspended extends TwoFactorError {
        private FirstFactorSuspended(Refusal refusal) {
            super(refusal);
        }
    }

    /** Too many wrong codes disabled the authenticator: ask for the backup code. */
    public static final class AuthenticatorDisabled extends TwoFactorError {
        private AuthenticatorDisabled(Refusal refusal) {
            super(refusal);
        }
    }

    /** Too many attempts or mails: wait for {@link #retryAfter}. This call did not count as an attempt. */
    public static final class Throttled extends TwoFactorError {
        private Throttled(Refusal refusal) {
            super(refusal);
        }
    }

    /** The outcome is unknown: repeat the call with the same request_id, after {@link #retryAfter} if it is set. */
    public static final class TryAgain extends TwoFactorError {
        private TryAgain(Refusal refusal) {
            super(refusal);
        }
    }
}
