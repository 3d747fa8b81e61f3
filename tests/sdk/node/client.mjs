// The official MCP TypeScript SDK as a client with OAuth.
// Arguments: the server's URL, a file that keeps client and tokens between runs, the command that logs in, and a tool with its
// arguments as JSON. Prints one JSON object: {"tools": […], "text": …} or {"error": …}.
// Or one argument, a file with calls, each {"url", "token", "tool", "arguments"}: made with the token as it is, without OAuth.
// With "batch" the call is sent within a list. Prints a list: {"tools": […], "text": …} or {"error": what the SDK threw, its class,
// its message, the code and the challenge that a program finds in it, "got": status and challenge of the HTTP answer}.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";

import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [url, path, python, tool, given] = process.argv.slice(2);
const REDIRECT = "http://127.0.0.1:33418/";

class FileProvider {
  constructor() {
    this.kept = existsSync(path) ? JSON.parse(readFileSync(path)) : {};
    this.redirectUrl = REDIRECT;
    this.clientMetadata = {
      client_name: "SDK",
      redirect_uris: [REDIRECT],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      // With "none" this SDK sends the secret that AM gives out all the same, as AM's metadata does not list "none"; AM refuses that.
      token_endpoint_auth_method: "client_secret_basic",
    };
  }
  keep(name, value) {
    this.kept[name] = value;
    writeFileSync(path, JSON.stringify(this.kept));
  }
  clientInformation() { return this.kept.client; }
  saveClientInformation(value) { this.keep("client", value); }
  tokens() { return this.kept.tokens; }
  saveTokens(value) { this.keep("tokens", value); }
  codeVerifier() { return this.kept.verifier; }
  saveCodeVerifier(value) { this.keep("verifier", value); }
  redirectToAuthorization(where) {
    const printed = execFileSync(python, ["-m", "tests.sdk.login", where.href], { encoding: "utf-8" });
    this.answer = JSON.parse(printed);
  }
}

async function main() {
  const authProvider = new FileProvider();
  const connect = async () => {
    const transport = new StreamableHTTPClientTransport(new URL(url), { authProvider });
    const client = new Client({ name: "SDK", version: "1" });
    try {
      await client.connect(transport);
    } catch (error) {
      error.transport = transport;
      throw error;
    }
    return client;
  };
  let client;
  try {
    client = await connect();
  } catch (error) {
    if (!(error instanceof UnauthorizedError) || !authProvider.answer) throw error;
    if (!authProvider.answer.code) throw new Error(`AM sent back ${JSON.stringify(authProvider.answer)}`);
    await error.transport.finishAuth(authProvider.answer.code);
    authProvider.answer = undefined;
    client = await connect();
  }
  return await used(client, tool, JSON.parse(given));
}

async function used(client, name, given, batch = false) {
  const params = { name, arguments: given };
  try {
    const tools = (await client.listTools()).tools.map((one) => one.name);
    if (batch) await client.transport.send([{ jsonrpc: "2.0", id: "batch", method: "tools/call", params }]);
    const result = await client.callTool(params);
    return { tools, text: result.content[0].text };
  } finally {
    await client.close(); // else its event stream keeps the program alive
  }
}

async function withToken({ url, token, tool, arguments: given, batch }) {
  let got;
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
    fetch: async (where, init) => {
      const answer = await fetch(where, init);
      if (init.method === "POST") got = [answer.status, answer.headers.get("www-authenticate")];
      return answer;
    },
  });
  const client = new Client({ name: "SDK", version: "1" });
  try {
    await client.connect(transport);
    return await used(client, tool, given, batch);
  } catch (error) {
    return { error: [error.constructor.name, error.message, error.code ?? null, error.data ?? null], got };
  }
}

let done;
try {
  if (path) {
    done = await main();
  } else {
    done = [];
    for (const call of JSON.parse(readFileSync(url))) done.push(await withToken(call));
  }
} catch (error) {
  done = { error: `${error.name}: ${error.message}` };
}
console.log(JSON.stringify(done));
