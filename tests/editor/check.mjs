// What an editor makes of a blueprint: yaml-language-server, spoken to as an editor does, with berth's JSON Schema.
//
//   node tests/editor/check.mjs SERVER     (the server's program; `.ci/run editor` installs it)
//
// It has to find nothing in every shipped blueprint, complete a key, show a description, and flag an error.
import { spawn } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const schema = pathToFileURL(join(root, "docs/schema/v1.json")).href;
const settings = {
  yaml: {
    schemas: { [schema]: "*.yaml" },
    schemaStore: { enable: false },
    completion: true,
    hover: true,
    validate: true,
  },
};

const server = spawn(process.execPath, [process.argv[2], "--stdio"], { stdio: ["pipe", "pipe", "inherit"] });
const deadline = setTimeout(() => fail("no answer within 50 seconds"), 50_000);
const answers = new Map();
const diagnostics = new Map();
let received = Buffer.alloc(0);
let last = 0;

function fail(message) {
  console.error(message);
  server.kill();
  process.exit(1);
}

function send(message) {
  const body = JSON.stringify({ jsonrpc: "2.0", ...message });
  server.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
}

function request(method, params) {
  const id = ++last;
  send({ id, method, params });
  return new Promise((resolve) => answers.set(id, resolve));
}

function handle(message) {
  if (message.method === "textDocument/publishDiagnostics") {
    const waiting = diagnostics.get(message.params.uri);
    diagnostics.delete(message.params.uri);
    waiting?.(message.params.diagnostics);
  } else if (message.method === "workspace/configuration") {
    send({ id: message.id, result: message.params.items.map((item) => settings[item.section] ?? {}) });
  } else if (message.method && message.id !== undefined) {
    send({ id: message.id, result: null });
  } else if (answers.has(message.id)) {
    if (message.error) fail(`the server says: ${message.error.message}`);
    answers.get(message.id)(message.result);
    answers.delete(message.id);
  }
}

server.on("exit", (code) => code && fail(`the server ended with ${code}`));
server.stdout.on("data", (chunk) => {
  received = Buffer.concat([received, chunk]);
  for (;;) {
    const end = received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const length = Number(/Content-Length: (\d+)/i.exec(received.subarray(0, end).toString())[1]);
    if (received.length < end + 4 + length) return;
    const body = received.subarray(end + 4, end + 4 + length).toString();
    received = received.subarray(end + 4 + length);
    handle(JSON.parse(body));
  }
});

let opened = 0;
/** Opens a text as a file of its own; its diagnostics. */
function open(text) {
  const uri = pathToFileURL(join(root, `opened-${++opened}.yaml`)).href;
  const found = new Promise((resolve) => diagnostics.set(uri, resolve));
  send({
    method: "textDocument/didOpen",
    params: { textDocument: { uri, languageId: "yaml", version: 1, text } },
  });
  return { uri, found };
}

/** The place right behind the first `mark`. */
function behind(text, mark) {
  const at = text.indexOf(mark);
  if (at < 0) fail(`there is no ${JSON.stringify(mark)} in the blueprint`);
  const lines = text.slice(0, at + mark.length).split("\n");
  return { line: lines.length - 1, character: lines.at(-1).length };
}

function expect(holds, what, found) {
  if (!holds) fail(`${what}; found ${JSON.stringify(found, null, 1).slice(0, 2000)}`);
  console.log(`ok: ${what}`);
}

await request("initialize", {
  processId: process.pid,
  rootUri: pathToFileURL(root).href,
  capabilities: {
    workspace: { configuration: true },
    textDocument: { completion: { completionItem: { snippetSupport: true } }, hover: { contentFormat: ["markdown"] } },
  },
});
send({ method: "initialized", params: {} });
send({ method: "workspace/didChangeConfiguration", params: { settings } });

const folder = join(root, "blueprints");
for (const name of readdirSync(folder).filter((name) => name.endsWith(".yaml")).sort()) {
  const found = await open(readFileSync(join(folder, name), "utf8")).found;
  expect(found.length === 0, `${name} has no error`, found);
}

const quickstart = readFileSync(join(folder, "quickstart.yaml"), "utf8");
const plain = open(quickstart);
await plain.found;
const hover = await request("textDocument/hover", {
  textDocument: { uri: plain.uri },
  position: behind(quickstart, "    kubernetesVer"),
});
const told = JSON.stringify(hover?.contents ?? null);
expect(/version/i.test(told) && told.length > 60, "hovering over kubernetesVersion shows its description", hover);

const begun = quickstart.replace("    kubernetesVersion:", "    kube\n    kubernetesVersion:");
const half = open(begun);
await half.found;
const completion = await request("textDocument/completion", {
  textDocument: { uri: half.uri },
  position: behind(begun, "    kube"),
});
const labels = (completion?.items ?? completion ?? []).map((item) => item.label);
expect(labels.includes("kubeletIdentity"), "kube completes to kubeletIdentity", labels);

for (const [what, from, to, line] of [
  ["a misspelt field", "kubernetesVersion:", "kubernetesVersoin:", "kubernetesVersoin"],
  ["a value that is not possible", "mode: System", "mode: Sistem", "Sistem"],
  ["a number that is text", "retentionDays: 30", "retentionDays: soon", "soon"],
]) {
  const text = quickstart.replace(from, to);
  const found = await open(text).found;
  const at = behind(text, line).line;
  expect(found.some((one) => one.range.start.line === at), `${what} is flagged in its line`, found);
}

clearTimeout(deadline);
server.kill();
process.exit(0);
