import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

test("the README shows the example that is compiled", () => {
  const readme = textOf("README.md");
  assert.ok(readme.includes(`\`\`\`ts\n${textOf("examples/sign_in.ts")}\`\`\`\n`));
});

function textOf(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}
