package twofactor.client;

import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.TextFormat;

/**
 * A message for logs: printed with the contract's secrets hidden. The {@code toString} of a generated message shows
 * them, and cannot be changed, for protobuf has made it final. Nothing is formatted before it is printed.
 *
 * @param message a request or an answer
 */
public record Redacted(MessageOrBuilder message) {
    /**
     * Wraps a message: {@code log.info("asked {}", Redacted.of(request))}.
     *
     * @param message a request or an answer
     * @return something that prints it without its secrets
     */
    public static Redacted of(MessageOrBuilder message) {
        return new Redacted(message);
    }

    /** One line, for reading; its form may change. */
    @Override
    public String toString() {
        return TextFormat.debugFormatPrinter().emittingSingleLine(true).printToString(message);
    }
}
