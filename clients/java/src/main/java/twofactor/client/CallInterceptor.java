package twofactor.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptor;
import io.grpc.ForwardingClientCall.SimpleForwardingClientCall;
import io.grpc.ForwardingClientCallListener.SimpleForwardingClientCallListener;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;

/**
 * Sets the request_id of a call, and adds a {@link TwoFactorError} to its failure as the cause. It runs above gRPC's
 * retries, so all attempts of a call have the same request_id.
 */
final class CallInterceptor implements ClientInterceptor {
    @Override
    public <ReqT, RespT> ClientCall<ReqT, RespT> interceptCall(
            MethodDescriptor<ReqT, RespT> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
            @Override
            public void start(Listener<RespT> listener, Metadata headers) {
                super.start(new ErrorListener<>(listener), headers);
            }

            @Override
            public void sendMessage(ReqT request) {
                super.sendMessage(RequestIds.withRequestId(request));
            }
        };
    }

    private static final class ErrorListener<RespT> extends SimpleForwardingClientCallListener<RespT> {
        ErrorListener(ClientCall.Listener<RespT> listener) {
            super(listener);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            super.onClose(status.isOk() ? status : status.withCause(TwoFactorError.of(status, trailers)), trailers);
        }
    }
}
