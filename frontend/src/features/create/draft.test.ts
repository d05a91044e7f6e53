import { beforeEach, describe, expect, it } from 'vitest';

import { stubAudio } from '@/testing/audio';

import { draftStore } from './draft';

const kept = { images: [], prompt: '', name: '', engine: '', key: 'kept' };
let decoded = (): void => undefined;

beforeEach(() => {
  draftStore.clear();
  stubAudio(
    new Promise((resolve) => {
      decoded = resolve;
    }),
  );
});

describe('a draft whose recording is restored', () => {
  const audio = () => ({
    file: new File(['speech'], 'speech.wav', { type: 'audio/wav' }),
    key: 'a',
  });

  it('is the submission that it was', async () => {
    const restored = draftStore.restore({ ...kept, audio: audio() });
    expect(draftStore.get()).toMatchObject({ audioLoading: true, key: 'kept' });
    decoded();
    await restored;
    expect(draftStore.get()).toMatchObject({ audio: { name: 'speech.wav' }, key: 'kept' });
  });

  it('is another one once something was changed while it was read', async () => {
    const restored = draftStore.restore({ ...kept, audio: audio() });
    draftStore.setPrompt('smile');
    decoded();
    await restored;
    expect(draftStore.get()).toMatchObject({ audio: { name: 'speech.wav' }, prompt: 'smile' });
    expect(draftStore.get().key).not.toBe('kept');
  });
});
