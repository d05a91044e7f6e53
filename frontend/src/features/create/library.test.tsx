import { screen, waitFor, within } from '@testing-library/react';
import { http, HttpResponse } from 'msw';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import type { LibraryFile } from '@/shared/api/types';
import { makeBatch, makeItem, makeStatus } from '@/testing/data';
import { picture, submitButton } from '@/testing/form';
import { EagerObserver } from '@/testing/observers';
import { openApp } from '@/testing/render';
import { problem, server } from '@/testing/server';

import { draftStore } from './draft';
import { storedOfLibrary } from './stored';

function libraryFile(part: Partial<LibraryFile>): LibraryFile {
  return {
    ref: 'item:item-1',
    kind: 'image',
    name: 'lin.jpg',
    url: 'http://localhost/media/lin.jpg',
    thumbnail_url: 'http://localhost/media/lin-small.jpg',
    width: 600,
    height: 800,
    duration: null,
    batch_id: 'batch-1',
    batch_name: '春季上新',
    created_at: '2026-11-22T09:30:00Z',
    expires_at: null,
    ...part,
  };
}

const PORTRAITS = ['a', 'b', 'c'].map((name) =>
  libraryFile({ ref: `item:${name}`, name: `${name}.jpg` }),
);
const RECORDING = libraryFile({
  ref: 'batch:batch-1',
  kind: 'audio',
  name: 'speech.wav',
  thumbnail_url: '',
  width: null,
  height: null,
  duration: 12,
});

beforeEach(() => {
  draftStore.clear();
  server.use(
    http.get('/api/video/library', ({ request }) => {
      const audio = new URL(request.url).searchParams.get('kind') === 'audio';
      const files = audio ? [RECORDING] : PORTRAITS;
      return HttpResponse.json({ files, total: 1, total_is_exact: true, next: null });
    }),
  );
});

function takesBatches(): unknown[] {
  const bodies: unknown[] = [];
  server.use(
    http.post('/api/video/batch', async ({ request }) => {
      bodies.push(await request.json());
      return HttpResponse.json({ batch_id: 'batch-2' }, { status: 201 });
    }),
    http.get('/api/video/batches/batch-2', () =>
      HttpResponse.json(makeBatch([makeItem()], { id: 'batch-2', name: '新的一批' })),
    ),
  );
  return bodies;
}

const openLibrary = (part: string) =>
  within(part === 'image' ? screen.getByRole('region', { name: '人像图片' }) : document.body)
    .getAllByRole('button', { name: '从以前的批次选择' })
    .at(-1)!;

describe('the library', () => {
  it('tells that earlier batches did not load, and loads them when asked', async () => {
    vi.stubGlobal('IntersectionObserver', EagerObserver);
    let refused = true;
    server.use(
      http.get('/api/video/library', ({ request }) => {
        const later = new URL(request.url).searchParams.has('cursor');
        if (later && refused) return problem(403, 'permission_denied');
        const files = later ? [libraryFile({ ref: 'item:old', name: 'old.jpg' })] : PORTRAITS;
        const next = later ? null : 'http://localhost/api/video/library?cursor=c';
        return HttpResponse.json({ files, total: 2, total_is_exact: true, next });
      }),
    );
    const { user } = openApp('/new');
    await screen.findByTestId('image-input');
    await user.click(openLibrary('image'));
    const dialog = within(await screen.findByRole('dialog'));
    expect(await dialog.findByRole('alert')).toHaveTextContent('没有权限做这件事。');
    expect(dialog.getByRole('button', { name: 'a.jpg' })).toBeVisible();
    refused = false;
    await user.click(dialog.getByRole('button', { name: '重试' }));
    expect(await dialog.findByRole('button', { name: 'old.jpg' })).toBeVisible();
    expect(dialog.queryByRole('alert')).not.toBeInTheDocument();
  });

  it('gives portraits and a recording that are named and not sent', async () => {
    const bodies = takesBatches();
    const { user } = openApp('/new');
    await user.upload(await screen.findByTestId('image-input'), picture('new.png'));

    await user.click(openLibrary('image'));
    const dialog = await screen.findByRole('dialog', { name: '选择以前的人像' });
    await user.click(await within(dialog).findByRole('button', { name: 'c.jpg' }));
    await user.click(within(dialog).getByRole('button', { name: 'a.jpg' }));
    await user.click(within(dialog).getByRole('button', { name: '添加 2 张' }));
    expect(screen.queryByRole('dialog')).not.toBeInTheDocument();

    await user.click(openLibrary('audio'));
    await user.click(await screen.findByRole('button', { name: /^speech\.wav/ }));
    expect(screen.getByText(/0:12 · 来自以前的批次/)).toBeVisible();
    expect(screen.getByText('3 积分')).toBeVisible();

    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '新的一批' });
    expect(bodies).toEqual([{ images: ['key-1', 'item:c', 'item:a'], audio: 'batch:batch-1' }]);
  });

  it('takes no more portraits than there is room for', async () => {
    server.use(
      http.get('/api/engine/status', () =>
        HttpResponse.json(makeStatus({ limits: { max_images: 3 } })),
      ),
    );
    const { user } = openApp('/new');
    await user.upload(await screen.findByTestId('image-input'), picture('new.png'));
    await screen.findByText('1 / 3');
    await user.click(openLibrary('image'));
    const dialog = await screen.findByRole('dialog');
    await user.click(await within(dialog).findByRole('button', { name: '整批选择' }));
    expect(within(dialog).getByRole('button', { name: 'c.jpg' })).toBeDisabled();
    expect(within(dialog).getByRole('status')).toHaveTextContent('还能选 0 张');
    await user.click(within(dialog).getByRole('button', { name: '添加 2 张' }));
    expect(draftStore.get().images.map(({ name }) => name)).toEqual(['new.png', 'a.jpg', 'b.jpg']);
  });

  it('says at the portrait that it is gone, and at the right one', async () => {
    server.use(
      http.post('/api/video/batch', () =>
        problem(422, 'invalid_batch', {
          errors: {
            images: [{ index: 1, name: 'b.jpg', code: 'stored_gone', detail: 'x' }],
          },
        }),
      ),
    );
    draftStore.addStoredImages(PORTRAITS.map(storedOfLibrary));
    draftStore.setStoredAudio(storedOfLibrary(RECORDING));
    const { user } = openApp('/new');
    await waitFor(() => expect(submitButton()).toBeEnabled());
    await user.click(submitButton());
    const tile = (await screen.findByText('b.jpg')).closest('li')!;
    expect(await within(tile).findByRole('alert')).toHaveTextContent('已经不在了');
  });

  it('marks the right file when some of them are stored and an announced one is refused', async () => {
    server.use(
      http.post('/api/video/uploads', () =>
        problem(422, 'invalid_uploads', {
          errors: { files: [{ index: 0, name: 'new.png', code: 'image_type', detail: 'x' }] },
        }),
      ),
    );
    draftStore.addStoredImages([storedOfLibrary(PORTRAITS[0]!)]);
    draftStore.addImages([picture('new.png')]);
    draftStore.setStoredAudio(storedOfLibrary(RECORDING));
    const { user } = openApp('/new');
    await waitFor(() => expect(submitButton()).toBeEnabled());
    await user.click(submitButton());
    const tile = (await screen.findByText('new.png')).closest('li')!;
    expect(await within(tile).findByRole('alert')).toBeVisible();
    expect(draftStore.get().images[0]?.problem).toBeNull();
  });
});

describe('making a batch again', () => {
  const earlier = makeBatch([makeItem({ id: 'item-1' }), makeItem({ id: 'item-2' })]);

  it('starts with its portraits, its recording and its prompt', async () => {
    const bodies = takesBatches();
    server.use(http.get('/api/video/batches/batch-1', () => HttpResponse.json(earlier)));
    const { user } = openApp('/batches/batch-1');
    await user.click(await screen.findByRole('button', { name: '更多操作' }));
    await user.click(await screen.findByRole('menuitem', { name: '再做一批' }));
    await screen.findByRole('heading', { level: 1, name: '新建批次' });
    expect(await screen.findByText('item-2.jpg')).toBeVisible();
    expect(screen.getByRole('textbox', { name: '表情与动作' })).toHaveValue('微笑');
    await user.click(submitButton());
    await screen.findByRole('heading', { level: 1, name: '新的一批' });
    expect(bodies).toEqual([
      { images: ['item:item-1', 'item:item-2'], audio: 'batch:batch-1', prompt: '微笑' },
    ]);
  });

  it('asks before a draft is replaced', async () => {
    server.use(http.get('/api/video/batches/batch-1', () => HttpResponse.json(earlier)));
    draftStore.addImages([picture('mine.png')]);
    const { user } = openApp('/new?again=batch-1');
    await screen.findByRole('alertdialog');
    expect(draftStore.get().images.map(({ name }) => name)).toEqual(['mine.png']);
    await user.click(screen.getByRole('button', { name: '替换草稿' }));
    expect(await screen.findByText('item-1.jpg')).toBeVisible();
    expect(screen.queryByText('mine.png')).not.toBeInTheDocument();
  });

  it('says that the files are gone', async () => {
    server.use(
      http.get('/api/video/batches/batch-1', () =>
        HttpResponse.json({ ...earlier, files_removed: true }),
      ),
    );
    openApp('/new?again=batch-1');
    expect(await screen.findByText(/不能再做一批/)).toBeVisible();
    expect(draftStore.isEmpty()).toBe(true);
  });
});
