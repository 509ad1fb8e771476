package twofactor.client;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.rpc.BadRequest;
import com.google.rpc.ErrorInfo;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.protobuf.StatusProto;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a failed call says of itself. Details that are absent or cannot be read are empty: a refusal is never lost over
 * its details.
 */
record Refusal(
        Status status,
        String reason,
        Map<String, String> metadata,
        List<String> fields,
        Optional<java.time.Duration> retryAfter) {

    /** Whose reasons are meant; another domain's are of whatever stands between. */
    private static final String DOMAIN = "twofactor";

    static Refusal of(Status status, Metadata trailers) {
        List<Any> details;
        try {
            details = StatusProto.fromStatusAndTrailers(status, trailers).getDetailsList();
        } catch (IllegalArgumentException unreadable) {
            details = List.of();
        }
        ErrorInfo info = first(details, ErrorInfo.class)
                .filter(told -> told.getDomain().equals(DOMAIN))
                .orElse(ErrorInfo.getDefaultInstance());
        BadRequest invalid = first(details, BadRequest.class).orElse(BadRequest.getDefaultInstance());
        return new Refusal(
                status,
                info.getReason(),
                info.getMetadataMap(),
                invalid.getFieldViolationsList().stream()
                        .map(BadRequest.FieldViolation::getField)
                        .toList(),
                first(details, RetryInfo.class)
                        .filter(RetryInfo::hasRetryDelay)
                        .map(retry -> span(retry.getRetryDelay())));
    }

    private static <D extends Message> Optional<D> first(List<Any> details, Class<D> type) {
        for (Any detail : details) {
            if (detail.is(type)) {
                try {
                    return Optional.of(detail.unpack(type));
                } catch (InvalidProtocolBufferException unreadable) {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }

    private static java.time.Duration span(Duration delay) {
        return java.time.Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
    }
}
