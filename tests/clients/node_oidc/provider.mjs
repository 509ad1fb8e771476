// The certified OpenID provider for Node, on loopback, as a counterpart for our own way of asking providers. Whoever comes
// is signed in as their login_hint. Prints its issuer once it listens, and ends with its standard input.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [secret, redirectUri] = process.argv.slice(2);

function key(type, options, parameters) {
  const { privateKey } = generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: "jwk" }), use: "sig", ...parameters };
}

function client(algorithm, method) {
  return {
    client_id: `${algorithm} ${method}`,
    client_secret: secret,
    redirect_uris: [redirectUri],
    id_token_signed_response_alg: algorithm,
    token_endpoint_auth_method: method,
  };
}

const server = createServer();
server.listen(0, "127.0.0.1", () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [
      client("RS256", "client_secret_basic"),
      client("PS256", "client_secret_post"),
      client("ES256", "client_secret_basic"),
    ],
    clientAuthMethods: ["client_secret_basic", "client_secret_post"],
    enabledJWA: { idTokenSigningAlgValues: ["RS256", "PS256", "ES256"] },
    jwks: {
      keys: [
        key("rsa", { modulusLength: 2048 }, { kid: "rsa" }),
        key("ec", { namedCurve: "P-256" }, { kid: "ec" }),
      ],
    },
    cookies: { keys: ["a key for cookies of the tests"] },
    claims: { openid: ["sub"], email: ["email", "email_verified"] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, subject) => ({
      accountId: subject,
      claims: () => ({
        sub: subject,
        email: `${subject}@provider.example`,
        email_verified: !subject.startsWith("unverified"),
      }),
    }),
    async loadExistingGrant(context) {
      const { client, session } = context.oidc;
      const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope("openid email");
      await grant.save();
      return grant;
    },
  });
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/interaction/")) {
      answer(request, response);
      return;
    }
    const { params } = await provider.interactionDetails(request, response);
    await provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
  });
  console.log(issuer);
});

process.stdin.on("end", () => process.exit(0)).resume();
