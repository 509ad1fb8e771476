package twofactor.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import twofactor.v1.ConfirmAuthenticatorSetupRequest;
import twofactor.v1.GetChallengeRequest;
import twofactor.v1.SendEmailCodeRequest;
import twofactor.v1.UseBackupCodeRequest;
import twofactor.v1.VerifyAuthenticatorCodeRequest;
import twofactor.v1.VerifyEmailCodeRequest;

class RequestIdsTest {
    static List<JsonObject> vectors() throws IOException {
        String file = Files.readString(Path.of("../conformance/vectors.json"));
        List<JsonObject> vectors = new ArrayList<>();
        for (JsonElement vector : JsonParser.parseString(file).getAsJsonArray()) {
            vectors.add(vector.getAsJsonObject());
        }
        return vectors;
    }

    @ParameterizedTest
    @MethodSource("vectors")
    void matchesTheVectorsOfAllLanguages(JsonObject vector) throws IOException {
        String method = vector.get("method").getAsString();
        Message.Builder request = prototype(method).newBuilderForType();
        JsonFormat.parser().merge(vector.get("request").toString(), request);
        JsonObject typed = vector.getAsJsonObject("request");

        String normalised = method.equals("UseBackupCode")
                ? RequestIds.normaliseBackupCode(typed.get("backup_code").getAsString())
                : RequestIds.normalise(typed.get("code").getAsString());
        assertEquals(vector.get("normal_form").getAsString(), normalised);
        assertEquals(vector.get("request_id").getAsString(), RequestIds.of(request.build()));
    }

    private static Message prototype(String method) {
        return switch (method) {
            case "UseBackupCode" -> UseBackupCodeRequest.getDefaultInstance();
            case "VerifyEmailCode" -> VerifyEmailCodeRequest.getDefaultInstance();
            case "VerifyAuthenticatorCode" -> VerifyAuthenticatorCodeRequest.getDefaultInstance();
            case "ConfirmAuthenticatorSetup" -> ConfirmAuthenticatorSetupRequest.getDefaultInstance();
            default -> throw new IllegalArgumentException("a vector for " + method);
        };
    }

    @Test
    void otherMethodsGetRandomRequestIds() {
        SendEmailCodeRequest request =
                SendEmailCodeRequest.newBuilder().setChallengeToken("tfc_x").build();

        UUID first = UUID.fromString(RequestIds.of(request));

        assertEquals(4, first.version());
        assertNotEquals(first.toString(), RequestIds.of(request));
    }

    @Test
    void keepsTheCallersRequestId() {
        UseBackupCodeRequest request =
                UseBackupCodeRequest.newBuilder().setRequestId("mine").build();

        assertEquals("mine", RequestIds.of(request));
        assertEquals(request, RequestIds.withRequestId(request));
    }

    @Test
    void requestsWithoutTheFieldAreNotChanged() {
        GetChallengeRequest request =
                GetChallengeRequest.newBuilder().setChallengeToken("tfc_x").build();

        assertEquals("", RequestIds.of(request));
        assertSame(request, RequestIds.withRequestId(request));
    }
}
