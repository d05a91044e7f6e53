import { http, HttpResponse, type HttpHandler } from 'msw';

import type { DirectUpload } from '@/shared/api/types';

interface Announced {
  name: string;
  size: number;
  content_type: string;
}

interface Kept extends Announced {
  key: string;
  arrived: Map<number, number>;
}

/** Direct uploads as the server takes them, with parts of a few bytes. */
export class UploadServer {
  partSize = 8;
  /** The parts that were PUT, as `name/number`, in the order of arrival. */
  puts: string[] = [];
  announced: Announced[][] = [];
  /** Called before a part is taken; an answer is given instead of taking it. */
  beforePart: (part: string) => Response | undefined | Promise<Response | undefined> = () =>
    undefined;
  /** Where parts are sent to; empty: this very server. */
  origin = '';

  private kept = new Map<string, Kept>();
  private count = 0;

  reset(): void {
    this.partSize = 8;
    this.puts = [];
    this.announced = [];
    this.beforePart = () => undefined;
    this.origin = '';
    this.kept.clear();
    this.count = 0;
  }

  forget(key: string): void {
    this.kept.delete(key);
  }

  private bodyOf(file: Kept): DirectUpload {
    const count = Math.ceil(file.size / this.partSize);
    const parts = Array.from({ length: count }, (_, index) => ({
      number: index + 1,
      offset: index * this.partSize,
      size: Math.min(this.partSize, file.size - index * this.partSize),
      url: `${this.origin || location.origin}/parts/${file.key}/${index + 1}`,
      received: file.arrived.has(index + 1),
    }));
    return {
      key: file.key,
      name: file.name,
      size: file.size,
      content_type: file.content_type,
      status: 'open',
      method: 'PUT',
      url: parts[0]?.url ?? '',
      headers: { 'Content-Type': file.content_type },
      expires_at: '2026-11-26T18:00:00Z',
      part_size: this.partSize,
      parts,
    };
  }

  readonly handlers: HttpHandler[] = [
    http.post('/api/video/uploads', async ({ request }) => {
      const { files } = (await request.json()) as { files: Announced[] };
      this.announced.push(files);
      const made = files.map((file) => {
        this.count += 1;
        const kept = { ...file, key: `key-${this.count}`, arrived: new Map<number, number>() };
        this.kept.set(kept.key, kept);
        return this.bodyOf(kept);
      });
      return HttpResponse.json({ uploads: made }, { status: 201 });
    }),
    http.get('/api/video/uploads/:key', ({ params }) => {
      const kept = this.kept.get(String(params.key));
      return kept
        ? HttpResponse.json(this.bodyOf(kept))
        : HttpResponse.json({ detail: 'x', code: 'not_found' }, { status: 404 });
    }),
    http.put('*/parts/:key/:number', async ({ params, request }) => {
      const kept = this.kept.get(String(params.key));
      if (!kept) return new HttpResponse(null, { status: 404 });
      const part = `${kept.name}/${String(params.number)}`;
      const instead = await this.beforePart(part);
      if (instead) return instead;
      const body = await request.arrayBuffer();
      kept.arrived.set(Number(params.number), body.byteLength);
      this.puts.push(part);
      return new HttpResponse(null, { status: 200 });
    }),
  ];
}
