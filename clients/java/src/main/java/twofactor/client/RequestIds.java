package twofactor.client;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.text.Normalizer;
import java.util.Locale;
import java.util.UUID;
import twofactor.v1.ConfirmAuthenticatorSetupRequest;
import twofactor.v1.UseBackupCodeRequest;
import twofactor.v1.VerifyAuthenticatorCodeRequest;
import twofactor.v1.VerifyEmailCodeRequest;

/**
 * The request_id of a call. For methods that take a code it is derived from the code, so that a double click, a reload
 * or a retry is the same call. For other methods it is random: two calls are two requests.
 */
public final class RequestIds {
    private static final UUID NAMESPACE = UUID.fromString("f2033512-6d64-53e7-adf0-f759b2b50235");

    private RequestIds() {}

    /**
     * The request_id that the client would send with this request: its own if it is set, or else a derived or random one.
     *
     * @param request a request of the contract
     * @return the request_id; empty for a request without that field
     */
    public static String of(Message request) {
        FieldDescriptor field = request.getDescriptorForType().findFieldByName("request_id");
        if (field == null) {
            return "";
        }
        String own = (String) request.getField(field);
        return own.isEmpty() ? create(request).toString() : own;
    }

    /** A copy with its request_id set, or the request itself if it has no such field. */
    @SuppressWarnings("unchecked") // a builder builds a message of the same type
    static <ReqT> ReqT withRequestId(ReqT request) {
        if (!(request instanceof Message message)) {
            return request;
        }
        FieldDescriptor field = message.getDescriptorForType().findFieldByName("request_id");
        return field == null
                ? request
                : (ReqT) message.toBuilder().setField(field, of(message)).build();
    }

    private static UUID create(Message request) {
        if (request instanceof VerifyEmailCodeRequest typed) {
            return derive(typed.getChallengeToken(), "VerifyEmailCode", normalise(typed.getCode()));
        }
        if (request instanceof VerifyAuthenticatorCodeRequest typed) {
            return derive(typed.getChallengeToken(), "VerifyAuthenticatorCode", normalise(typed.getCode()));
        }
        if (request instanceof UseBackupCodeRequest typed) {
            return derive(typed.getChallengeToken(), "UseBackupCode", normaliseBackupCode(typed.getBackupCode()));
        }
        if (request instanceof ConfirmAuthenticatorSetupRequest typed) {
            String setupId = typed.getSetupId().toLowerCase(Locale.ROOT);
            return derive(typed.getSessionToken(), "ConfirmAuthenticatorSetup", setupId, normalise(typed.getCode()));
        }
        return UUID.randomUUID();
    }

    /** Removes the differences between spellings of a code. Does not validate it: the server does that. */
    static String normalise(String typed) {
        StringBuilder normalised = new StringBuilder();
        Normalizer.normalize(typed, Normalizer.Form.NFKC)
                .codePoints()
                .filter(RequestIds::isSignificant)
                .map(symbol -> symbol >= 'A' && symbol <= 'Z' ? symbol - 'A' + 'a' : symbol)
                .forEach(normalised::appendCodePoint);
        return normalised.toString();
    }

    /** Also replaces o, i and l, which are not in the alphabet of backup codes, by the digits they resemble. */
    static String normaliseBackupCode(String typed) {
        return normalise(typed).replace('o', '0').replace('i', '1').replace('l', '1');
    }

    private static boolean isSignificant(int symbol) {
        return switch (Character.getType(symbol)) {
            case Character.SPACE_SEPARATOR,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.CONTROL,
                    Character.FORMAT,
                    Character.DASH_PUNCTUATION -> false;
            default -> true;
        };
    }

    /** UUID version 5 (RFC 9562, section 5.5) of the parts, joined by LF. */
    private static UUID derive(String... parts) {
        MessageDigest sha1;
        try {
            sha1 = MessageDigest.getInstance("SHA-1");
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError("every Java platform has SHA-1", impossible);
        }
        sha1.update(ByteBuffer.allocate(16)
                .putLong(NAMESPACE.getMostSignificantBits())
                .putLong(NAMESPACE.getLeastSignificantBits())
                .flip());
        ByteBuffer digest = ByteBuffer.wrap(sha1.digest(String.join("\n", parts).getBytes(StandardCharsets.UTF_8)));
        long most = (digest.getLong() & ~0xF000L) | 0x5000L;
        long least = (digest.getLong() & ~(0b11L << 62)) | (0b10L << 62);
        return new UUID(most, least);
    }
}
