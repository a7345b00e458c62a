// What goes between widgets here and their models in a kernel: four bytes that say how long the JSON after them
// is, and buffers, whose lengths stand in it as `sizes`.

export function unpack(bytes) {
  const length = new DataView(bytes).getUint32(0);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length)));
  let at = 4 + length;
  const buffers = head.sizes.map((size) => new DataView(bytes.slice(at, at += size)));
  return { head, buffers };
}

const plain = (buffer) => (buffer instanceof ArrayBuffer ? new Uint8Array(buffer)
  : new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));

export function pack(head, buffers) {
  const parts = buffers.map(plain);
  const text = new TextEncoder().encode(JSON.stringify({ ...head, sizes: parts.map((part) => part.length) }));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 4 + text.length));
  new DataView(bytes.buffer).setUint32(0, text.length);
  let at = 4;
  for (const part of [text, ...parts]) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.buffer;
}
