import { Slot } from 'radix-ui';
import type { ComponentProps, ReactNode } from 'react';

import { cx } from '../lib/cx';
import styles from './button.module.css';
import { Spinner } from './spinner';
import { Tip } from './tip';

type Variant = 'primary' | 'secondary' | 'ghost' | 'danger' | 'danger-ghost';

export interface ButtonProps extends ComponentProps<'button'> {
  variant?: Variant;
  size?: 'sm' | 'md' | 'lg';
  icon?: ReactNode;
  busy?: boolean;
  block?: boolean;
}

export function Button({
  variant = 'secondary',
  size = 'md',
  icon,
  busy = false,
  block = false,
  className,
  children,
  disabled,
  type = 'button',
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      disabled={disabled || busy}
      aria-busy={busy || undefined}
      className={cx(styles.button, styles[variant], styles[size], block && styles.block, className)}
    >
      {busy ? <Spinner size={16} /> : icon}
      {children}
    </button>
  );
}

/** A link that looks like a button: pass the link element as the only child. */
export function ButtonLink({
  variant = 'secondary',
  size = 'md',
  block = false,
  className,
  children,
}: {
  variant?: Variant;
  size?: 'sm' | 'md' | 'lg';
  block?: boolean;
  className?: string;
  children: ReactNode;
}) {
  return (
    <Slot.Root
      className={cx(styles.button, styles[variant], styles[size], block && styles.block, className)}
    >
      {children}
    </Slot.Root>
  );
}

export interface IconButtonProps extends ComponentProps<'button'> {
  label: string;
  variant?: 'ghost' | 'secondary' | 'glass';
  size?: 'sm' | 'md';
  tip?: boolean;
}

/** A button with only an icon: its name is spoken, and shown as a tooltip. */
export function IconButton({
  label,
  variant = 'ghost',
  size = 'md',
  tip = true,
  className,
  children,
  type = 'button',
  ...rest
}: IconButtonProps) {
  const button = (
    <button
      {...rest}
      type={type}
      aria-label={label}
      className={cx(styles.button, styles.icon, styles[variant], styles[size], className)}
    >
      {children}
    </button>
  );
  return tip ? <Tip text={label}>{button}</Tip> : button;
}
