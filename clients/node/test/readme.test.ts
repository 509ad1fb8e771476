import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

test("the README contains the example", () => {
  const readme = readText("README.md");
  assert.ok(readme.includes(`\`\`\`ts\n${readText("examples/sign_in.ts")}\`\`\`\n`));
});

function readText(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
}
