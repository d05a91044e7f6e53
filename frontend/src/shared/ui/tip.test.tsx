import { render, screen, waitFor } from '@testing-library/react';
import userEvent from '@testing-library/user-event';
import { describe, expect, it, vi } from 'vitest';

import { Tip } from './tip';

function open(onClick = () => undefined) {
  render(
    <Tip text="saves the file">
      <button type="button" onClick={onClick}>
        Save
      </button>
    </Tip>,
  );
  return { user: userEvent.setup(), button: screen.getByRole('button', { name: 'Save' }) };
}

describe('a tip', () => {
  it('shows to whoever comes by keyboard, describes the button, and goes with Escape', async () => {
    const { user, button } = open();
    await user.tab();
    expect(screen.getByRole('tooltip')).toHaveTextContent('saves the file');
    expect(button).toHaveAccessibleDescription('saves the file');
    await user.keyboard('{Escape}');
    expect(screen.queryByRole('tooltip')).not.toBeInTheDocument();
    expect(button).toHaveFocus();
  });

  it('shows where the pointer rests, and stays while the pointer is on it', async () => {
    const { user, button } = open();
    await user.hover(button);
    await user.hover(await screen.findByRole('tooltip'));
    expect(screen.getByRole('tooltip')).toBeVisible();
    await user.unhover(screen.getByRole('tooltip'));
    await waitFor(() => expect(screen.queryByRole('tooltip')).not.toBeInTheDocument());
  });

  it('leaves the button its own handlers, and is gone once it is pressed', async () => {
    const pressed = vi.fn();
    const { user, button } = open(pressed);
    await user.hover(button);
    await screen.findByRole('tooltip');
    await user.click(button);
    expect(pressed).toHaveBeenCalledOnce();
    expect(screen.queryByRole('tooltip')).not.toBeInTheDocument();
  });
});
