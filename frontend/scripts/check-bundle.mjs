/** Fails the build when the JavaScript of the first page load exceeds its budget. */
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const BUDGET_BYTES = 150_000;
const dist = new URL('../dist/', import.meta.url);
const manifest = JSON.parse(readFileSync(new URL('manifest.json', dist), 'utf8'));

function gzipped(entries) {
  const seen = new Set();
  const visit = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    for (const imported of manifest[key].imports ?? []) visit(imported);
  };
  entries.forEach(visit);
  let total = 0;
  for (const key of seen) total += gzipSync(readFileSync(new URL(manifest[key].file, dist))).length;
  return total;
}

function named(part) {
  const key = Object.keys(manifest).find((name) => name.includes(part));
  if (!key) throw new Error(`The build has no part named ${part}`);
  return key;
}
// What everybody loads first: the entry, one language and the signed-in shell with its landing page.
const first = [
  'index.html',
  'messages/zh',
  'app/shell',
  'batches/batches-layout',
  'batches/overview-page',
].map(named);
const size = gzipped(first);
console.log(
  `first load: ${(size / 1000).toFixed(1)} kB of ${BUDGET_BYTES / 1000} kB compressed JavaScript`,
);
if (size > BUDGET_BYTES) {
  console.error('The first load exceeds its budget.');
  process.exit(1);
}
