// Modern Matrix clients (matrix-js-sdk with its Rust cryptography, as in Element Web), driven by lines of JSON.
//
// In:  {"id": 1, "who": "ana", "do": "send", …}    one request a line; `who` names a client of this process
// Out: {"id": 1, "ok": …} or {"id": 1, "error": "…"}    one answer to each, in any order
//      {"who": "ana", "event": {…}}    each timeline event, once when it comes and again when it is decrypted
// Nothing waits longer than PATIENCE; the process ends when its input does.

import { createCipheriv, createDecipheriv, createHash, randomBytes } from "node:crypto";
import { Console } from "node:console";
import { createInterface } from "node:readline";

globalThis.console = new Console(process.stderr, process.stderr); // standard output is for answers

// All that the library misses on Node 20.
Promise.withResolvers ??= () => {
  let resolve, reject;
  const promise = new Promise((...both) => ([resolve, reject] = both));
  return { promise, resolve, reject };
};

const sdk = await import("matrix-js-sdk");
const api = await import("matrix-js-sdk/lib/crypto-api/index.js");

const silent = () => {};
const logger = { trace: silent, debug: silent, info: silent, warn: console.warn, error: console.error, getChild: () => logger };
const PATIENCE = 15_000 * Number(process.env.FARO_TEST_PATIENCE ?? 1); // milliseconds
const clients = new Map(); // who → { client, sas }: `sas` is the verification under way

function tell(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// The value of `look` once it is true; it is looked at again whenever `source` emits one of `events`.
function until(look, what, source, ...events) {
  return new Promise((resolve, reject) => {
    const end = (settle, value) => {
      clearTimeout(timer);
      clearInterval(ticking);
      events.forEach((event) => source.off(event, check));
      settle(value);
    };
    const check = async () => {
      try {
        const value = await look();
        if (value) end(resolve, value);
      } catch (error) {
        end(reject, error);
      }
    };
    const timer = setTimeout(() => end(reject, new Error(`waited in vain for ${what}`)), PATIENCE);
    const ticking = setInterval(check, 100);
    events.forEach((event) => source.on(event, check));
    check();
  });
}

async function report(who, client, event) {
  const crypto = client.getCrypto();
  const info = event.isEncrypted() ? await crypto.getEncryptionInfoForEvent(event) : null;
  const relation = event.getWireContent()["m.relates_to"]; // stays outside the ciphertext
  tell({
    who,
    event: {
      event_id: event.getId(),
      room_id: event.getRoomId(),
      sender: event.getSender(),
      type: event.getType(),
      state_key: event.getStateKey(),
      content: { ...event.getOriginalContent(), ...(relation && { "m.relates_to": relation }) },
      encrypted: event.isEncrypted(),
      failure: event.decryptionFailureReason,
      shield: info && { colour: info.shieldColour, reason: info.shieldReason },
      highlight: client.getPushActionsForEvent(event, true)?.tweaks?.highlight === true,
    },
  });
}

async function room(client, id) {
  return until(() => client.getRoom(id), `room ${id}`, client, "Room", "sync");
}

async function encryptedRoom(client, id, members = []) {
  const known = await room(client, id);
  await until(() => client.getCrypto().isEncryptionEnabledInRoom(id), `encryption in ${id}`, client, "sync");
  await known.loadMembersIfNeeded();
  for (const user of members) {
    const here = () => ["join", "invite"].includes(known.getMember(user)?.membership);
    await until(here, `${user} in ${id}`, client, "RoomState.members");
  }
}

const requests = {
  // A signed-in device gets its keys, a cross-signing identity of its user (made if there is none yet) and starts.
  async login({ who, url, user, password, device, token, identity = true }) {
    const secrets = new Map();
    const client = sdk.createClient({
      baseUrl: url,
      userId: user,
      deviceId: device,
      accessToken: token,
      logger,
      verificationMethods: ["m.sas.v1"],
      cryptoCallbacks: {
        getSecretStorageKey: async ({ keys }) => Object.keys(keys).flatMap((id) => (secrets.has(id) ? [[id, secrets.get(id)]] : []))[0],
        cacheSecretStorageKey: (id, _info, key) => secrets.set(id, key),
      },
    });
    await client.initRustCrypto({ useIndexedDB: false });
    clients.set(who, { client, sas: null });
    client.on("Room.timeline", (event, _room, atStart, _removed, data) => {
      if (data.liveEvent && !atStart && event.status === null) {
        client.decryptEventIfNeeded(event).catch(() => {}).then(() => report(who, client, event));
      }
    });
    client.on("Event.decrypted", (event) => report(who, client, event));
    await client.startClient({ initialSyncLimit: 0 });
    await until(() => client.isInitialSyncComplete(), "the first sync", client, "sync");
    if (identity) {
      const auth = { type: "m.login.password", identifier: { type: "m.id.user", user }, password };
      await client.getCrypto().bootstrapCrossSigning({ authUploadDeviceSigningKeys: (make) => make(auth) });
    }
    return device;
  },

  // Puts the identity's secrets into the account, as Element's "Recovery" does; answers the recovery key.
  async recovery({ client }) {
    const key = await client.getCrypto().createRecoveryKeyFromPassphrase();
    await client.getCrypto().bootstrapSecretStorage({
      createSecretStorageKey: async () => key,
      setupNewSecretStorage: true,
    });
    return key.encodedPrivateKey;
  },

  async createRoom({ client, name, invite = [], encrypted = true }) {
    const content = { algorithm: "m.megolm.v1.aes-sha2" };
    const state = encrypted ? [{ type: "m.room.encryption", state_key: "", content }] : [];
    const made = await client.createRoom({ name, invite, preset: "private_chat", initial_state: state });
    return made.room_id;
  },

  invite: async ({ client, room: id, user }) => void (await client.invite(id, user)),

  join: async ({ client, room: id }) => (await client.joinRoom(id)).roomId,

  // Sent once this client knows that the room is encrypted and that `members` are in it; or into a plain room.
  async send({ client, room: id, type, content, members, plain = false }) {
    if (plain) await room(client, id);
    else await encryptedRoom(client, id, members);
    return (await client.sendEvent(id, type, content)).event_id;
  },

  // Uploads a file as encrypted rooms want it; answers the `file` of its message (spec: "Sending encrypted attachments").
  async upload({ client, base64 }) {
    const key = randomBytes(32);
    const iv = Buffer.concat([randomBytes(8), Buffer.alloc(8)]); // the lower half counts blocks
    const cipher = createCipheriv("aes-256-ctr", key, iv);
    const bytes = Buffer.concat([cipher.update(Buffer.from(base64, "base64")), cipher.final()]);
    const { content_uri: url } = await client.uploadContent(bytes, { type: "application/octet-stream", includeFilename: false });
    return {
      v: "v2",
      url,
      key: { kty: "oct", alg: "A256CTR", ext: true, key_ops: ["encrypt", "decrypt"], k: key.toString("base64url") },
      iv: unpadded(iv),
      hashes: { sha256: unpadded(createHash("sha256").update(bytes).digest()) },
    };
  },

  // The bytes (base64) that the `file` of a message stands for.
  async download({ client, file }) {
    const http = client.mxcUrlToHttp(file.url, undefined, undefined, undefined, false, true, true);
    const got = await fetch(http, {
      headers: { Authorization: `Bearer ${client.getAccessToken()}` },
      signal: AbortSignal.timeout(PATIENCE),
    });
    if (!got.ok) throw new Error(`download: ${got.status}`);
    const bytes = Buffer.from(await got.arrayBuffer());
    if (unpadded(createHash("sha256").update(bytes).digest()) !== file.hashes.sha256) throw new Error("another hash");
    const cipher = createDecipheriv("aes-256-ctr", Buffer.from(file.key.k, "base64url"), Buffer.from(file.iv, "base64"));
    return Buffer.concat([cipher.update(bytes), cipher.final()]).toString("base64");
  },

  // MSC4153: neither shares keys with devices their owner has not signed, nor reads them.
  async onlySigned({ client, on }) {
    const mode = on ? new api.OnlySignedDevicesIsolationMode() : new api.AllDevicesIsolationMode(false);
    client.getCrypto().setDeviceIsolationMode(mode);
  },

  // "Never send encrypted messages to unverified sessions."
  async onlyVerified({ client, on }) {
    client.getCrypto().globalBlacklistUnverifiedDevices = on;
  },

  // What this client thinks of somebody now.
  async trust({ client, user }) {
    const crypto = client.getCrypto();
    const devices = (await crypto.getUserDeviceInfo([user], true)).get(user) ?? new Map();
    const status = await crypto.getUserVerificationStatus(user);
    const told = {};
    for (const device of devices.keys()) {
      const of = await crypto.getDeviceVerificationStatus(user, device);
      told[device] = { signed: of?.signedByOwner ?? false, verified: of?.crossSigningVerified ?? false };
    }
    return { verified: status.isCrossSigningVerified(), changed: status.needsUserApproval, devices: told };
  },

  // Begins to verify somebody: in a room, or a device by to-device messages. Answers the emoji to compare.
  async verify({ who, client, user, device, room: id }) {
    const crypto = client.getCrypto();
    if (id) await encryptedRoom(client, id, [user]);
    else await crypto.getUserDeviceInfo([user], true);
    const request = id ? await crypto.requestVerificationDM(user, id) : await crypto.requestDeviceVerification(user, device);
    const { Cancelled, Ready } = api.VerificationPhase;
    const answered = () => [Ready, Cancelled].includes(request.phase);
    await until(answered, `an answer of ${user}`, request, "change");
    if (request.phase === Cancelled) throw new Error(`cancelled by ${request.cancellingUserId}: ${request.cancellationCode}`);
    const verifier = await request.startVerification("m.sas.v1");
    const outcome = verifier.verify().then(() => null, (error) => error); // its error is told by whoever waits for it
    const sas = await Promise.race([until(() => verifier.getShowSasCallbacks(), "emoji", verifier, "show_sas"), outcome]);
    if (sas instanceof Error) throw sas;
    clients.get(who).sas = { sas, request, outcome };
    return { emoji: sas.sas.emoji.map(([, name]) => name), decimal: sas.sas.decimal };
  },

  // "They match": answers once both sides are done. Or "They do not match".
  async confirm({ who, match = true }) {
    const { sas, request, outcome } = clients.get(who).sas;
    if (!match) return void sas.mismatch();
    await sas.confirm();
    const { Cancelled, Done } = api.VerificationPhase;
    await until(() => [Done, Cancelled].includes(request.phase), "the end of the verification", request, "change");
    if (request.phase === Cancelled) throw new Error(`cancelled by ${request.cancellingUserId}: ${request.cancellationCode}`);
    const error = await outcome;
    if (error) throw error;
  },

  async stop({ who, client }) {
    clients.delete(who);
    client.stopClient();
  },
};

function unpadded(bytes) {
  return bytes.toString("base64").replace(/=+$/, "");
}

async function answer(line) {
  const { id, do: name, ...request } = JSON.parse(line);
  try {
    const client = clients.get(request.who)?.client;
    if (!client && name !== "login") throw new Error(`${request.who} is not logged in`);
    tell({ id, ok: (await requests[name]({ ...request, client })) ?? null });
  } catch (error) {
    tell({ id, error: String(error?.stack ?? error) });
  }
}

createInterface({ input: process.stdin }).on("line", answer).on("close", () => process.exit(0));
tell({ ready: true });
