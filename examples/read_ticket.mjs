// Read a ticket without slth: `node read_ticket.mjs T.slth` prints the coefficients of its layers as JSON.
// Version 1, constructed, as FORMAT.md has it. The digest of what comes out is compared with the file's.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
const file = readFileSync(process.argv[2]), start = 8 + Number(file.readBigUInt64LE(0));
const header = JSON.parse(file.subarray(8, start)), ticket = JSON.parse(header.__metadata__.slth);
if (ticket.format !== 1 || ticket.kind) throw Error("this reader knows constructed tickets of version 1");
const sha256 = (data) => createHash("sha256").update(data).digest();
function uniform(path, count) { // numbers of U[-1, 1): Philox4x32-10, its key from the seed and the tensor's name
  const name = sha256(`${ticket.seed}/${path}`), numbers = [], low = 0xffffffffn;
  for (let block = 0n; numbers.length < count; block++) {
    let [k0, k1, a, b, c, d] = [name.readUInt32LE(0), name.readUInt32LE(4), block, 0n, 0n, 0n];
    for (let round = 0; round < 10; round++) {
      const [p, q] = [0xd2511f53n * a, 0xcd9e8d57n * c];
      [a, b, c, d] = [(q >> 32n) ^ b ^ BigInt(k0), q & low, (p >> 32n) ^ d ^ BigInt(k1), p & low];
      [k0, k1] = [(k0 + 0x9e3779b9) >>> 0, (k1 + 0xbb67ae85) >>> 0];
    }
    numbers.push(...[a, b, c, d].map((word) => Number(word >> 8n) * 2 ** -23 - 1));
  }
  return numbers;
}

function bits(encoding, bytes, count) { // of a mask: plain, or near its entropy
  if (encoding === "bits") return Array.from({ length: count }, (_, i) => (bytes[i >> 3] >> (i & 7)) & 1);
  const f = BigInt(bytes.readUInt16LE(0)), found = [];
  for (let x = bytes.readBigUInt64LE(2), at = 10; found.length < count; ) {
    const r = x & 0xffffn;
    found.push(Number(r < f));
    x = r < f ? f * (x >> 16n) + r : (0x10000n - f) * (x >> 16n) + r - f;
    if (x < 1n << 32n) [x, at] = [(x << 32n) + BigInt(bytes.readUInt32LE(at)), at + 4];
  }
  return found;
}

function coefficients({ lift, mask, gain, bias_gain, realised }, i) {
  const [inp, out] = ticket.network.arguments.widths.slice(i), H = lift.neurons, path = `layers/${i}`;
  const named = { lift: inp, lift_bias: 1, mixing: out }, slots = [];
  const [u, beta, v] = Object.entries(named).map(([name, each]) => uniform(`${path}/${name}`, H * each));
  const signed = lift.signed.flatMap(([from, to]) => Array.from({ length: to - from }, (_, k) => from + k));
  const slot = (value, gain, need) => ({ value, gain, need, served: [] });
  for (let j = 0; j < inp; j++) slots.push(slot((h) => u[h * inp + j], gain, lift.candidates));
  for (const j of signed) slots.push(slot((h) => -u[h * inp + j], gain, lift.candidates));
  if (lift.constants) slots.push(slot((h) => beta[h], bias_gain, lift.constants));
  let live = 0, circle = [...slots];
  for (let h = 0; h < H; h++) { // a neuron serves the first slot, going around, that needs it and that it fits
    const at = circle.findIndex(({ value, need }) => need > 0 && value(h) >= lift.threshold) + 1;
    if (at > 0) circle = [...circle.slice(at), ...circle.slice(0, at)];
    if (at > 0) circle.at(-1).need--, circle.at(-1).served.push([h, live++]);
  }
  const run = header[`${path}/mixing.mask`].data_offsets.map((at) => start + at);
  const m = bits(mask.encoding, file.subarray(...run), out * live);
  const sum = (s, o) => s.served.reduce((sum, [h, l]) => sum + m[o * live + l] * v[h * out + o] * s.value(h), 0);
  const all = Array.from({ length: out }, (_, o) => slots.map((s) => s.gain * sum(s, o)));
  const P = all.map((row) => row.slice(0, inp)), b = lift.constants ? all.map((row) => row.at(-1)) : null;
  const N = P.map((row, o) => row.map((_, j) => (signed.includes(j) ? all[o][inp + signed.indexOf(j)] : 0)));
  const said = Float64Array.from([...P.flat(), ...(signed.length ? N.flat() : []), ...(b ?? [])], (x) => x + 0);
  if (sha256(said).toString("hex") !== realised) throw Error(`${path} does not compute what the file says`);
  return { P, N: signed.length ? N : null, b };
}
console.log(JSON.stringify(ticket.layers.map(coefficients)));
