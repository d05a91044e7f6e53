import { screen } from '@testing-library/react';

import { openApp } from './render';

export const picture = (name: string) => new File(['picture'], name, { type: 'image/png' });
export const speech = () => new File(['speech'], 'speech.wav', { type: 'audio/wav' });

/** The form of a new batch with these portraits and a recording. */
export async function openFilled(names: string[]) {
  const { user } = openApp('/new');
  await screen.findByRole('heading', { level: 1, name: '新建批次' });
  await user.upload(screen.getByTestId('image-input'), names.map(picture));
  await user.upload(screen.getByTestId('audio-input'), speech());
  await screen.findByText('speech.wav');
  return user;
}

/** A draft as an earlier page left it. */
export const keptDraft = () => ({
  images: [{ key: 'x', file: picture('a.png') }],
  audio: { key: 'y', file: speech() },
  prompt: '',
  name: '',
  engine: '',
  key: 'kept',
});

export const submitButton = () => screen.getByRole('button', { name: /^生成 \d+ 个视频$/ });
