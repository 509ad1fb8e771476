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
 * Gives a call its request_id, and its failure a {@link TwoFactorError} as the cause. It stands above gRPC's retries, so
 * that all attempts of a call carry the same request_id.
 */
final class CallInterceptor implements ClientInterceptor {
    @Override
    public <Q, A> ClientCall<Q, A> interceptCall(MethodDescriptor<Q, A> method, CallOptions options, Channel next) {
        return new SimpleForwardingClientCall<>(next.newCall(method, options)) {
            @Override
            public void start(Listener<A> listener, Metadata headers) {
                super.start(new RefusalListener<>(listener), headers);
            }

            @Override
            public void sendMessage(Q request) {
                super.sendMessage(RequestIds.withRequestId(request));
            }
        };
    }

    private static final class RefusalListener<A> extends SimpleForwardingClientCallListener<A> {
        RefusalListener(ClientCall.Listener<A> listener) {
            super(listener);
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            super.onClose(status.isOk() ? status : status.withCause(TwoFactorError.of(status, trailers)), trailers);
        }
    }
}
