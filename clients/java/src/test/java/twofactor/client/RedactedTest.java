package twofactor.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.UnknownFieldSet;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import twofactor.v1.AccountServiceOuterClass;
import twofactor.v1.SignInServiceOuterClass;
import twofactor.v1.StartSignInRequest;
import twofactor.v1.TwoFactorServiceOuterClass;
import twofactor.v1.Types;

class RedactedTest {
    private static List<FieldDescriptor> textFields() {
        List<Descriptor> messages = new ArrayList<>();
        messages.addAll(Types.getDescriptor().getMessageTypes());
        messages.addAll(SignInServiceOuterClass.getDescriptor().getMessageTypes());
        messages.addAll(TwoFactorServiceOuterClass.getDescriptor().getMessageTypes());
        messages.addAll(AccountServiceOuterClass.getDescriptor().getMessageTypes());
        return messages.stream()
                .flatMap(message -> message.getFields().stream())
                .filter(field -> field.getJavaType() == JavaType.STRING && !field.isRepeated())
                .toList();
    }

    @Test
    void hidesExactlyTheMarkedFields() {
        int hidden = 0;
        for (FieldDescriptor field : textFields()) {
            DynamicMessage message = DynamicMessage.newBuilder(field.getContainingType())
                    .setField(field, "s3cr3t")
                    .build();
            boolean marked = field.getOptions().getDebugRedact();
            hidden += marked ? 1 : 0;

            assertEquals(!marked, Redacted.of(message).toString().contains("s3cr3t"), field.getFullName());
        }
        assertTrue(hidden > 30, hidden + " fields are marked");
    }

    @Test
    void hidesNestedSecretsAndUnknownFields() {
        StartSignInRequest.Builder request = StartSignInRequest.newBuilder()
                .setUnknownFields(UnknownFieldSet.newBuilder()
                        .addField(
                                99,
                                UnknownFieldSet.Field.newBuilder()
                                        .addLengthDelimited(ByteString.copyFromUtf8("t0k3n"))
                                        .build())
                        .build());
        request.getPasswordBuilder().setEmail("ada@example.test").setPassword("s3cr3t");

        String text = "request " + Redacted.of(request.build());

        assertTrue(text.contains("ada@example.test"), text);
        assertFalse(text.contains("s3cr3t") || text.contains("t0k3n"), text);
    }
}
