// A Probot app that stores each delivery in SQLite before it is answered: what Switchyard's door does.
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import Database from "better-sqlite3";
import { createNodeMiddleware, createProbot } from "probot";

const [file, port, secret] = process.argv.slice(2);
const database = new Database(file);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");
database.exec("CREATE TABLE inbox (id TEXT PRIMARY KEY, event TEXT, received_at REAL, payload TEXT)");
// In WAL with this setting a commit waits for no disk, so one for each delivery is the cheapest way here.
const insert = database.prepare("INSERT INTO inbox VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");

const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "pkcs1", format: "pem" },
});
const probot = createProbot({
  overrides: { appId: 1, privateKey, secret, logLevel: "fatal" },
});
const middleware = await createNodeMiddleware(
  (app) => {
    app.onAny(({ id, name, payload }) => {
      insert.run(id, name, Date.now() / 1000, JSON.stringify(payload));
    });
  },
  { probot, webhooksPath: "/webhooks/github" },
);
createServer(middleware).listen(Number(port), "127.0.0.1", () => console.log("listening"));
