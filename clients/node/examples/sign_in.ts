import { stdin, stdout } from "node:process";
import { createInterface } from "node:readline/promises";
import { CodeMismatch, connect, SecondFactor } from "twofactor-client";

const twofactor = connect("127.0.0.1:50051");
const terminal = createInterface(stdin, stdout);
const client = { ipAddress: "192.0.2.7", userAgent: "example" }; // of the user's browser

const email = await terminal.question("E-mail: ");
const password = await terminal.question("Password: ");
const firstFactor = { case: "password", value: { email, password } } as const;
const { challengeToken, challenge } = await twofactor.startSignIn({ firstFactor, client });
const byMail = challenge?.secondFactor === SecondFactor.EMAIL_CODE;
const verify = byMail ? twofactor.verifyEmailCode : twofactor.verifyAuthenticatorCode;

let sessionToken = ""; // store it in the user's cookie
while (!sessionToken) {
  const code = await terminal.question(
    byMail ? `Code sent to ${challenge.maskedEmail}: ` : "Code of your authenticator app: ",
  );
  try {
    ({ sessionToken } = await verify({ challengeToken, code, client }));
  } catch (error) {
    if (!(error instanceof CodeMismatch)) throw error; // for example ChallengeOver: start again
    console.log(`Wrong code. Attempts left: ${error.attemptsLeft ?? "unknown"}`);
  }
}
console.log((await twofactor.getSession({ sessionToken })).session);
terminal.close();
twofactor.close();
