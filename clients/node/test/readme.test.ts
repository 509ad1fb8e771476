import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

test("the README shows the example that is compiled", () => {
  const [readme, example] = ["README.md", "examples/sign_in.ts"].map((path) =>
    readFileSync(new URL(`../../${path}`, import.meta.url), "utf8"),
  );
  assert.ok(readme?.includes(`\`\`\`ts\n${example}\`\`\`\n`));
});
