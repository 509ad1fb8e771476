package twofactor.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.grpc.ServerCredentials;
import io.grpc.TlsServerCredentials;
import io.grpc.TlsServerCredentials.ClientAuth;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import twofactor.client.TwoFactorClient.MutualTls;
import twofactor.client.TwoFactorError.TryAgain;
import twofactor.v1.GetChallengeRequest;
import twofactor.v1.GetChallengeResponse;

/** Uses self-signed certificates: each side trusts the other's certificate as an authority. */
class MutualTlsTest {
    private static final String PASSWORD = "changeit";

    private static final List<String> KEYTOOL = List.of(
            Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
            "-genkeypair",
            "-alias",
            "it",
            "-keyalg",
            "EC",
            "-validity",
            "2",
            "-ext",
            "san=dns:twofactor.internal",
            "-storetype",
            "PKCS12",
            "-storepass",
            PASSWORD);

    @TempDir
    static Path folder;

    @BeforeAll
    static void makeCertificates() throws IOException, InterruptedException, GeneralSecurityException {
        for (String name : List.of("server", "client", "untrusted")) {
            Path store = folder.resolve(name + ".p12");
            List<String> command = new ArrayList<>(KEYTOOL);
            command.addAll(List.of("-dname", "CN=" + name, "-keystore", store.toString()));
            assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
            KeyStore keys = KeyStore.getInstance("PKCS12");
            try (InputStream file = Files.newInputStream(store)) {
                keys.load(file, PASSWORD.toCharArray());
            }
            pem(name + ".crt", "CERTIFICATE", keys.getCertificate("it").getEncoded());
            pem(
                    name + ".key",
                    "PRIVATE KEY",
                    keys.getKey("it", PASSWORD.toCharArray()).getEncoded());
        }
    }

    private static void pem(String name, String label, byte[] content) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(content);
        Files.writeString(
                folder.resolve(name),
                "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n",
                StandardCharsets.US_ASCII);
    }

    private static LocalServer server() throws IOException {
        ServerCredentials credentials = TlsServerCredentials.newBuilder()
                .keyManager(
                        folder.resolve("server.crt").toFile(),
                        folder.resolve("server.key").toFile())
                .trustManager(folder.resolve("client.crt").toFile())
                .clientAuth(ClientAuth.REQUIRE)
                .build();
        return new LocalServer(credentials, request -> Optional.of(GetChallengeResponse.getDefaultInstance()));
    }

    private static MutualTls as(String name, String ca, String serverName) {
        return new MutualTls(
                folder.resolve(ca + ".crt"), folder.resolve(name + ".crt"), folder.resolve(name + ".key"), serverName);
    }

    private static GetChallengeResponse call(LocalServer server, MutualTls tls) throws IOException {
        try (var client = TwoFactorClient.connect(server.address(), tls)) {
            return client.signIn().getChallenge(GetChallengeRequest.getDefaultInstance());
        }
    }

    @Test
    void bothSidesAuthenticate() throws IOException {
        try (var server = server()) {
            assertEquals(
                    GetChallengeResponse.getDefaultInstance(),
                    call(server, as("client", "server", "twofactor.internal")));
        }
    }

    @Test
    void anUntrustedClientIsRejected() throws IOException {
        try (var server = server()) {
            assertThrows(TryAgain.class, () -> call(server, as("untrusted", "server", "twofactor.internal")));
            assertEquals(0, server.requests.size());
        }
    }

    @Test
    void aServerWithAnotherAuthorityOrNameIsRejected() throws IOException {
        try (var server = server()) {
            assertThrows(TryAgain.class, () -> call(server, as("client", "untrusted", "twofactor.internal")));
            assertThrows(TryAgain.class, () -> call(server, as("client", "server", "")));
            assertEquals(0, server.requests.size());
        }
    }

    @Test
    void aMissingFileIsReportedAtOnce() {
        assertThrows(IOException.class, () -> TwoFactorClient.connect("127.0.0.1:1", as("missing", "server", "")));
    }
}
