package twofactor.client;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;

/**
 * A channel for blocking stubs alone, whose failures are thrown as {@link TwoFactorError}. A generated stub would turn
 * any failure that it is told of into a StatusRuntimeException; what is thrown under its hands it passes on. So a call
 * here waits for its answer the moment it is sent.
 */
final class BlockingChannel extends Channel {
    private final Channel channel;

    BlockingChannel(Channel channel) {
        this.channel = channel;
    }

    @Override
    public String authority() {
        return channel.authority();
    }

    @Override
    public <Q, A> ClientCall<Q, A> newCall(MethodDescriptor<Q, A> method, CallOptions options) {
        return new BlockingCall<>(channel, method, options);
    }

    private static final class BlockingCall<Q, A> extends ClientCall<Q, A> {
        private final Channel channel;
        private final MethodDescriptor<Q, A> method;
        private final CallOptions options;
        private Listener<A> listener;
        private Metadata headers;
        private Q request;

        BlockingCall(Channel channel, MethodDescriptor<Q, A> method, CallOptions options) {
            this.channel = channel;
            this.method = method;
            this.options = options;
        }

        @Override
        public void start(Listener<A> answerListener, Metadata requestHeaders) {
            listener = answerListener;
            headers = requestHeaders;
        }

        @Override
        public void sendMessage(Q message) {
            request = message;
        }

        @Override
        public void halfClose() {
            Channel withHeaders =
                    ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(headers));
            try {
                listener.onMessage(ClientCalls.blockingUnaryCall(withHeaders, method, options, request));
                listener.onClose(Status.OK, new Metadata());
            } catch (StatusRuntimeException failure) {
                TwoFactorError error = TwoFactorError.in(failure).orElseThrow(() -> failure);
                // Interceptors of the caller's own are told as well.
                Metadata trailers = failure.getTrailers();
                listener.onClose(failure.getStatus(), trailers == null ? new Metadata() : trailers);
                throw error;
            }
        }

        @Override
        public void request(int messages) {}

        /** Too late or too early: the call runs within halfClose, which hears of an interruption itself. */
        @Override
        public void cancel(String message, Throwable cause) {}
    }
}
