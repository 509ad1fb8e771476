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
 * A channel for blocking stubs that throws {@link TwoFactorError}. A generated stub converts every status that it
 * receives into a StatusRuntimeException, but propagates exceptions of the call. The call is therefore executed, and
 * throws, within {@link ClientCall#halfClose}.
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
    public <ReqT, RespT> ClientCall<ReqT, RespT> newCall(MethodDescriptor<ReqT, RespT> method, CallOptions options) {
        return new BlockingCall<>(channel, method, options);
    }

    private static final class BlockingCall<ReqT, RespT> extends ClientCall<ReqT, RespT> {
        private final Channel channel;
        private final MethodDescriptor<ReqT, RespT> method;
        private final CallOptions options;
        private Listener<RespT> listener;
        private Metadata headers;
        private ReqT request;

        BlockingCall(Channel channel, MethodDescriptor<ReqT, RespT> method, CallOptions options) {
            this.channel = channel;
            this.method = method;
            this.options = options;
        }

        @Override
        public void start(Listener<RespT> responseListener, Metadata requestHeaders) {
            listener = responseListener;
            headers = requestHeaders;
        }

        @Override
        public void sendMessage(ReqT message) {
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
                // Notify the caller's interceptors too.
                Metadata trailers = failure.getTrailers();
                listener.onClose(failure.getStatus(), trailers == null ? new Metadata() : trailers);
                throw error;
            }
        }

        @Override
        public void request(int messages) {}

        /** Nothing to cancel: the call runs within halfClose, which handles interruption. */
        @Override
        public void cancel(String message, Throwable cause) {}
    }
}
