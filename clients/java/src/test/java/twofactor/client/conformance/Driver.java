package twofactor.client.conformance;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.stub.AbstractBlockingStub;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import twofactor.client.Redacted;
import twofactor.client.RequestIds;
import twofactor.client.TwoFactorClient;
import twofactor.client.TwoFactorClient.MutualTls;
import twofactor.client.TwoFactorError;
import twofactor.v1.AccountServiceGrpc;
import twofactor.v1.SignInServiceGrpc;
import twofactor.v1.TwoFactorServiceGrpc;

/** Conformance driver over the blocking stubs. clients/conformance/README.md describes the protocol. */
public final class Driver {
    private static final Gson GSON = new GsonBuilder().serializeNulls().create();

    private static final JsonFormat.Printer PRINTER =
            JsonFormat.printer().preservingProtoFieldNames().omittingInsignificantWhitespace();

    private TwoFactorClient client;

    private Driver() {}

    /** Runs until standard input ends. Standard output is reserved for replies. */
    public static void main(String[] arguments) throws IOException, ReflectiveOperationException {
        PrintStream replies = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        Driver driver = new Driver();
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            replies.println(
                    GSON.toJson(driver.reply(JsonParser.parseString(line).getAsJsonObject())));
        }
        driver.disconnect();
    }

    private JsonObject reply(JsonObject command) throws IOException, ReflectiveOperationException {
        String op = command.get("op").getAsString();
        return switch (op) {
            case "connect" -> connect(command);
            case "call" -> call(command);
            case "request_id" -> object("request_id", new JsonPrimitive(RequestIds.of(request(command))));
            case "format" ->
                object("text", new JsonPrimitive(Redacted.of(request(command)).toString()));
            default -> throw new IllegalArgumentException("unknown operation: " + op);
        };
    }

    private JsonObject connect(JsonObject command) throws IOException {
        disconnect();
        String address = command.get("address").getAsString();
        JsonElement tls = command.get("tls");
        client = tls == null || tls.isJsonNull()
                ? TwoFactorClient.connect(address)
                : TwoFactorClient.connect(address, mutualTls(tls.getAsJsonObject()));
        return object("ok", new JsonPrimitive(true));
    }

    private static MutualTls mutualTls(JsonObject tls) {
        return new MutualTls(
                Path.of(tls.get("ca").getAsString()),
                Path.of(tls.get("certificate").getAsString()),
                Path.of(tls.get("key").getAsString()),
                tls.has("server_name") ? tls.get("server_name").getAsString() : "");
    }

    private void disconnect() {
        if (client != null) {
            client.close();
        }
    }

    private JsonObject call(JsonObject command) throws IOException, ReflectiveOperationException {
        MethodDescriptor<?, ?> method = method(command.get("method").getAsString());
        Message request = request(command);
        AbstractBlockingStub<?> stub = stub(Objects.requireNonNull(method.getServiceName()));
        if (command.has("timeout_ms")) {
            stub = stub.withDeadlineAfter(
                    Duration.ofMillis(command.get("timeout_ms").getAsLong()));
        }
        try {
            Object response = stub.getClass()
                    .getMethod(javaName(command.get("method").getAsString()), request.getClass())
                    .invoke(stub, request);
            return object("response", JsonParser.parseString(PRINTER.print((Message) response)));
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof TwoFactorError error) {
                return object("error", errorToJson(error));
            }
            throw thrown;
        }
    }

    private AbstractBlockingStub<?> stub(String service) {
        return switch (service) {
            case SignInServiceGrpc.SERVICE_NAME -> client.signIn();
            case TwoFactorServiceGrpc.SERVICE_NAME -> client.twoFactor();
            case AccountServiceGrpc.SERVICE_NAME -> client.accounts();
            default -> throw new IllegalArgumentException("no stub for " + service);
        };
    }

    private static JsonObject errorToJson(TwoFactorError error) {
        JsonObject json = object("type", new JsonPrimitive(error.getClass().getSimpleName()));
        json.addProperty("status", error.status().name());
        json.addProperty("reason", error.reason());
        json.add("metadata", GSON.toJsonTree(error.metadata()));
        JsonArray fields = new JsonArray();
        error.fields().forEach(fields::add);
        json.add("fields", fields);
        json.add(
                "retry_after_ms",
                error.retryAfter()
                        .<JsonElement>map(wait -> new JsonPrimitive(wait.toMillis()))
                        .orElse(JsonNull.INSTANCE));
        return json;
    }

    private static Message request(JsonObject command) throws InvalidProtocolBufferException {
        var marshaller = (PrototypeMarshaller<?>)
                method(command.get("method").getAsString()).getRequestMarshaller();
        Message.Builder builder =
                ((Message) Objects.requireNonNull(marshaller.getMessagePrototype())).newBuilderForType();
        JsonFormat.parser().merge(command.get("request").toString(), builder);
        return builder.build();
    }

    private static MethodDescriptor<?, ?> method(String name) {
        return List.of(
                        SignInServiceGrpc.getServiceDescriptor(),
                        TwoFactorServiceGrpc.getServiceDescriptor(),
                        AccountServiceGrpc.getServiceDescriptor())
                .stream()
                .flatMap(service -> service.getMethods().stream())
                .filter(method -> name.equals(method.getBareMethodName()))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("unknown method: " + name));
    }

    private static String javaName(String method) {
        return Character.toLowerCase(method.charAt(0)) + method.substring(1);
    }

    private static JsonObject object(String name, JsonElement value) {
        JsonObject object = new JsonObject();
        object.add(name, value);
        return object;
    }
}
