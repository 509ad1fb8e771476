import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { AccountService, SERVICE_CONFIG, SignInService, TwoFactorService } from "twofactor-client";

const PUBLISHED = new URL("../../../../proto/twofactor/v1/service_config.json", import.meta.url);

test("the embedded service config is the published one", () => {
  assert.deepEqual(JSON.parse(SERVICE_CONFIG), JSON.parse(readFileSync(PUBLISHED, "utf8")));
});

test("the service config covers every method", () => {
  const config = JSON.parse(SERVICE_CONFIG) as { methodConfig: { name: { service: string; method: string }[] }[] };
  const named = config.methodConfig.flatMap((entry) => entry.name.map(({ service, method }) => `${service}/${method}`));
  const methods = [SignInService, TwoFactorService, AccountService].flatMap((service) =>
    service.methods.map((method) => `${service.typeName}/${method.name}`),
  );
  assert.deepEqual(named.toSorted(), methods.toSorted());
});
