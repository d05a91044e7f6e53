import { RadioGroup } from 'radix-ui';
import type { ReactNode } from 'react';

import styles from './segmented.module.css';

interface SegmentedProps<T extends string> {
  label: string;
  value: T;
  options: readonly { value: T; label: ReactNode; count?: number }[];
  onChange: (value: T) => void;
}

/** One of a few, all of them visible. */
export function Segmented<T extends string>({
  label,
  value,
  options,
  onChange,
}: SegmentedProps<T>) {
  return (
    <RadioGroup.Root
      className={styles.group}
      aria-label={label}
      value={value}
      orientation="horizontal"
      onValueChange={(next) => onChange(next as T)}
    >
      {options.map((option) => (
        <RadioGroup.Item key={option.value} value={option.value} className={styles.item}>
          {option.label}
          {option.count !== undefined && <span className={styles.count}>{option.count}</span>}
        </RadioGroup.Item>
      ))}
    </RadioGroup.Root>
  );
}
