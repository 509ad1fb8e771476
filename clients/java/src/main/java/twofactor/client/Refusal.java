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

/** The status and the error details of a failed call. Details that are missing or malformed are empty. */
record Refusal(
        Status status,
        String reason,
        Map<String, String> metadata,
        List<String> fields,
        Optional<java.time.Duration> retryAfter) {

    /** Reasons of other domains, such as those of a proxy, are ignored. */
    private static final String DOMAIN = "twofactor";

    static Refusal of(Status status, Metadata trailers) {
        List<Any> details;
        try {
            details = StatusProto.fromStatusAndTrailers(status, trailers).getDetailsList();
        } catch (IllegalArgumentException malformed) {
            details = List.of();
        }
        ErrorInfo info = first(details, ErrorInfo.class)
                .filter(detail -> detail.getDomain().equals(DOMAIN))
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
                        .map(retry -> duration(retry.getRetryDelay())));
    }

    private static <D extends Message> Optional<D> first(List<Any> details, Class<D> type) {
        for (Any detail : details) {
            if (detail.is(type)) {
                try {
                    return Optional.of(detail.unpack(type));
                } catch (InvalidProtocolBufferException malformed) {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }

    private static java.time.Duration duration(Duration delay) {
        return java.time.Duration.ofSeconds(delay.getSeconds(), delay.getNanos());
    }
}
