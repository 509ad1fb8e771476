package twofactor.client;

import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.TextFormat;

/**
 * Formats a message for logs without its secrets. The {@code toString} of a generated message shows them, and protobuf
 * declares it final. The message is formatted only when {@link #toString} is called.
 *
 * @param message a request or a response
 */
public record Redacted(MessageOrBuilder message) {
    /**
     * Wraps a message: {@code log.info("request {}", Redacted.of(request))}.
     *
     * @param message a request or a response
     * @return an object whose {@code toString} hides the secrets
     */
    public static Redacted of(MessageOrBuilder message) {
        return new Redacted(message);
    }

    /** One line for people; the format may change. */
    @Override
    public String toString() {
        return TextFormat.debugFormatPrinter().emittingSingleLine(true).printToString(message);
    }
}
