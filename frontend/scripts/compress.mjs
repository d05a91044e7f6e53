/** Writes .gz and .br beside every built text file; the server hands them out as they are. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const dist = new URL('../dist/', import.meta.url);
for (const name of readdirSync(dist, { recursive: true })) {
  if (!/\.(?:js|css|svg|html)$/.test(name)) continue;
  const file = new URL(name, dist);
  const content = readFileSync(file);
  if (content.length < 1_000) continue;
  writeFileSync(new URL(`${name}.gz`, dist), gzipSync(content, { level: 9 }));
  writeFileSync(
    new URL(`${name}.br`, dist),
    brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  );
}
