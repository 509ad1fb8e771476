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
 * The request_id of a logical call. Where a person types a code it is derived from what was typed, so that a double
 * click, a reload and a retry are the same call; elsewhere it is random, and asking twice means it twice.
 */
public final class RequestIds {
    private static final UUID NAMESPACE = UUID.fromString("f2033512-6d64-53e7-adf0-f759b2b50235");

    private RequestIds() {}

    /**
     * The request_id that the client would send with this request: the one that it has, or else a derived or random one.
     *
     * @param request a request of the contract
     * @return a UUID in text form; empty for a request that takes none
     */
    public static String of(Message request) {
        FieldDescriptor field = request.getDescriptorForType().findFieldByName("request_id");
        if (field == null) {
            return "";
        }
        String given = (String) request.getField(field);
        return given.isEmpty() ? minted(request).toString() : given;
    }

    /** The request with its request_id set, if it takes one. */
    @SuppressWarnings("unchecked") // a builder makes what it was made from
    static <Q> Q withRequestId(Q request) {
        if (!(request instanceof Message message)) {
            return request;
        }
        FieldDescriptor field = message.getDescriptorForType().findFieldByName("request_id");
        return field == null
                ? request
                : (Q) message.toBuilder().setField(field, of(message)).build();
    }

    private static UUID minted(Message request) {
        if (request instanceof VerifyEmailCodeRequest typed) {
            return derived(typed.getChallengeToken(), "VerifyEmailCode", normalForm(typed.getCode()));
        }
        if (request instanceof VerifyAuthenticatorCodeRequest typed) {
            return derived(typed.getChallengeToken(), "VerifyAuthenticatorCode", normalForm(typed.getCode()));
        }
        if (request instanceof UseBackupCodeRequest typed) {
            return derived(typed.getChallengeToken(), "UseBackupCode", backupCodeForm(typed.getBackupCode()));
        }
        if (request instanceof ConfirmAuthenticatorSetupRequest typed) {
            String setupId = typed.getSetupId().toLowerCase(Locale.ROOT);
            return derived(typed.getSessionToken(), "ConfirmAuthenticatorSetup", setupId, normalForm(typed.getCode()));
        }
        return UUID.randomUUID();
    }

    /** A typed code without what does not matter in it. Whether that is a code is for the server to say. */
    static String normalForm(String typed) {
        StringBuilder form = new StringBuilder();
        Normalizer.normalize(typed, Normalizer.Form.NFKC)
                .codePoints()
                .filter(RequestIds::matters)
                .map(symbol -> symbol >= 'A' && symbol <= 'Z' ? symbol - 'A' + 'a' : symbol)
                .forEach(form::appendCodePoint);
        return form.toString();
    }

    /** The normal form of a backup code, whose alphabet has no o, i and l. */
    static String backupCodeForm(String typed) {
        return normalForm(typed).replace('o', '0').replace('i', '1').replace('l', '1');
    }

    private static boolean matters(int symbol) {
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

    /** UUID version 5 (RFC 9562, section 5.5) of the parts, a line each. */
    private static UUID derived(String... parts) {
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
