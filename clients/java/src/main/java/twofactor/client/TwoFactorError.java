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
 * A call that was refused or failed. Those that a front end acts on are of a nested type; decide about the others by
 * {@link #reason} and, for a reason that is not known, by {@link #status}. Nothing in it repeats what was sent.
 */
@SuppressWarnings("serial") // it is thrown and caught, not stored
public class TwoFactorError extends RuntimeException {
    private final transient Refusal refusal;

    private TwoFactorError(Refusal refusal) {
        super(text(refusal), refusal.status().getCause());
        this.refusal = refusal;
    }

    /**
     * The refusal in what a stub of another kind threw or failed with, such as an {@code ExecutionException}; empty if no
     * call failed.
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
        String what = refusal.status().getCode() + (refusal.reason().isEmpty() ? "" : " " + refusal.reason());
        String description = refusal.status().getDescription();
        return description == null || description.isEmpty() ? what : what + ": " + description;
    }

    /** The gRPC status; never OK. */
    public final Status.Code status() {
        return refusal.status().getCode();
    }

    /** Why: a name of ErrorReason without its prefix, perhaps a newer one; empty if it came from elsewhere. */
    public final String reason() {
        return refusal.reason();
    }

    /** What ErrorReason's comments promise with the reason. */
    public final Map<String, String> metadata() {
        return refusal.metadata();
    }

    /** The paths of the fields that were wrong, from the request's root ({@code password.email}); often empty. */
    public final List<String> fields() {
        return refusal.fields();
    }

    /** How long to wait before the same call, with the same request_id, is of use; empty if not told. */
    public final Optional<Duration> retryAfter() {
        return refusal.retryAfter();
    }

    /** A field is missing or malformed: {@link #fields} names it. Nothing was charged. */
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

    /** The change needs a re-authentication, made now. */
    public static final class ReauthenticationRequired extends TwoFactorError {
        private ReauthenticationRequired(Refusal refusal) {
            super(refusal);
        }
    }

    /** The re-authentication was wrong; five wrong ones end the session. */
    public static final class ReauthenticationFailed extends TwoFactorError {
        private ReauthenticationFailed(Refusal refusal) {
            super(refusal);
        }
    }

    /** The code is wrong, or a newer one has been mailed. The attempt was counted. */
    public static final class CodeMismatch extends TwoFactorError {
        private CodeMismatch(Refusal refusal) {
            super(refusal);
        }

        /** How many wrong codes the challenge (or the setup) still bears: 4 to 0; empty if not told. */
        public OptionalInt attemptsLeft() {
            String told = metadata().getOrDefault("attempts_left", "");
            return told.matches("\\d{1,9}") ? OptionalInt.of(Integer.parseInt(told)) : OptionalInt.empty();
        }
    }

    /** The mailed code is too old: ask for a new one. */
    public static final class CodeExpired extends TwoFactorError {
        private CodeExpired(Refusal refusal) {
            super(refusal);
        }
    }

    /** An authenticator code that was right once and is spent: wait for the next. */
    public static final class CodeAlreadyUsed extends TwoFactorError {
        private CodeAlreadyUsed(Refusal refusal) {
            super(refusal);
        }
    }

    /** A backup code that has signed somebody in. */
    public static final class BackupCodeAlreadyUsed extends TwoFactorError {
        private BackupCodeAlreadyUsed(Refusal refusal) {
            super(refusal);
        }

        /** When, by the server's clock; empty if that cannot be read. */
        public Optional<Instant> usedAt() {
            try {
                return Optional.of(Instant.parse(metadata().get("used_at")));
            } catch (DateTimeParseException unreadable) {
                return Optional.empty();
            }
        }
    }

    /** The challenge is expired, completed, exhausted or unknown: start signing in again. */
    public static final class ChallengeOver extends TwoFactorError {
        private ChallengeOver(Refusal refusal) {
            super(refusal);
        }
    }

    /** The session is over: the person must sign in again. */
    public static final class SessionEnded extends TwoFactorError {
        private SessionEnded(Refusal refusal) {
            super(refusal);
        }
    }

    /** Right, but barred until the owner confirms by the mailed link. */
    public static final class FirstFactorSuspended extends TwoFactorError {
        private FirstFactorSuspended(Refusal refusal) {
            super(refusal);
        }
    }

    /** Too many wrong codes have disabled the authenticator: the backup code is the way in. */
    public static final class AuthenticatorDisabled extends TwoFactorError {
        private AuthenticatorDisabled(Refusal refusal) {
            super(refusal);
        }
    }

    /** Too many attempts or mails: {@link #retryAfter} tells the wait. Nothing was charged. */
    public static final class Throttled extends TwoFactorError {
        private Throttled(Refusal refusal) {
            super(refusal);
        }
    }

    /** It may or may not have happened: repeat the same call with the same request_id, and learn it. */
    public static final class TryAgain extends TwoFactorError {
        private TryAgain(Refusal refusal) {
            super(refusal);
        }
    }
}
