// Generates src/generated: TypeScript of the contract and of google.rpc's error details, and the service config.
//
//     npm run generate            write the files that have changed
//     npm run generate:check      write nothing; list outdated files and exit with status 1 if there are any
//
// The plugin is pinned in package.json, buf in the repository's requirements.lock: run `make setup` first.

import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const REPOSITORY = join(HERE, "..", "..");
const CONTRACT = join(REPOSITORY, "proto");
const TARGET = join(HERE, "src", "generated");
const BUF = join(REPOSITORY, ".venv", "bin", "buf");
const PLUGIN = join(HERE, "node_modules", "@bufbuild", "protoc-gen-es", "bin", "protoc-gen-es");

function main() {
  const folder = mkdtempSync(join(tmpdir(), "twofactor-"));
  try {
    for (const input of [CONTRACT, join(HERE, "proto")]) compile(input, folder);
    writeFileSync(join(folder, "service_config.ts"), serviceConfig());
    return update(readFiles(folder), existsSync(TARGET) ? readFiles(TARGET) : new Map());
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function compile(input, folder) {
  const plugin = { local: [process.execPath, PLUGIN], out: folder, opt: ["target=ts", "import_extension=js"] };
  const template = JSON.stringify({ version: "v2", plugins: [plugin] });
  execFileSync(BUF, ["generate", input, "--template", template], { stdio: ["ignore", "inherit", "inherit"] });
}

// A module rather than a JSON file, so that bundlers include it.
function serviceConfig() {
  const text = readFileSync(join(CONTRACT, "twofactor", "v1", "service_config.json"), "utf8");
  return `// Generated from proto/twofactor/v1/service_config.json.\nexport const SERVICE_CONFIG: string = JSON.stringify(${text.trim()});\n`;
}

function update(fresh, committed) {
  const names = [...new Set([...fresh.keys(), ...committed.keys()])].sort();
  const stale = names.filter((name) => fresh.get(name) !== committed.get(name));
  if (process.argv.includes("--check")) {
    if (stale.length > 0) console.error("out of date (run `npm run generate` in clients/node):");
    for (const name of stale) console.error(`  ${relative(REPOSITORY, join(TARGET, name))}`);
    return stale.length > 0 ? 1 : 0;
  }
  for (const name of stale) {
    const path = join(TARGET, name);
    mkdirSync(dirname(path), { recursive: true });
    if (fresh.has(name)) writeFileSync(path, fresh.get(name));
    else rmSync(path);
    console.log(`${fresh.has(name) ? "wrote" : "removed"} ${name}`);
  }
  return 0;
}

// The contents of the files of a folder by relative path.
function readFiles(folder) {
  const paths = readdirSync(folder, { recursive: true }).filter((path) => statSync(join(folder, path)).isFile());
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), "utf8")]));
}

process.exitCode = main();
