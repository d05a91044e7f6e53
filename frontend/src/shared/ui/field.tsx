import { Eye, EyeOff, Search, X } from 'lucide-react';
import { useId, useState, type ComponentProps, type ReactNode } from 'react';

import { useI18n } from '../i18n/i18n';
import { cx } from '../lib/cx';
import { IconButton } from './button';
import styles from './field.module.css';

interface FieldProps extends Omit<ComponentProps<'input'>, 'id'> {
  label: string;
  hint?: ReactNode;
  error?: string | null;
}

/** A labelled input; its error and hint are tied to it for screen readers. */
export function Field({ label, hint, error, className, ...input }: FieldProps) {
  const id = useId();
  return (
    <div className={cx(styles.field, className)}>
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        id={id}
        className={styles.input}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || hint ? `${id}-note` : undefined}
      />
      <FieldNote id={`${id}-note`} hint={hint} error={error} />
    </div>
  );
}

export function PasswordField({ label, hint, error, className, ...input }: FieldProps) {
  const id = useId();
  const [shown, setShown] = useState(false);
  const { t } = useI18n();
  return (
    <div className={cx(styles.field, className)}>
      <label htmlFor={id}>{label}</label>
      <div className={styles.wrap}>
        <input
          {...input}
          id={id}
          type={shown ? 'text' : 'password'}
          className={styles.input}
          aria-invalid={error ? true : undefined}
          aria-describedby={error || hint ? `${id}-note` : undefined}
        />
        <IconButton
          className={styles.inside}
          size="sm"
          tip={false}
          label={shown ? t('common.hidePassword') : t('common.showPassword')}
          aria-pressed={shown}
          onClick={() => setShown(!shown)}
        >
          {shown ? <EyeOff size={17} /> : <Eye size={17} />}
        </IconButton>
      </div>
      <FieldNote id={`${id}-note`} hint={hint} error={error} />
    </div>
  );
}

export function FieldNote({
  id,
  hint,
  error,
}: {
  id: string;
  hint?: ReactNode;
  error?: string | null;
}) {
  if (error) {
    return (
      <p id={id} role="alert" className={styles.error}>
        {error}
      </p>
    );
  }
  return hint ? (
    <p id={id} className={styles.hint}>
      {hint}
    </p>
  ) : null;
}

interface SearchFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  /** Id of a datalist with suggestions. */
  list?: string;
}

export function SearchField({ label, value, onChange, list }: SearchFieldProps) {
  const { t } = useI18n();
  return (
    <div className={styles.wrap} role="search">
      <Search size={16} className={styles.searchIcon} aria-hidden="true" />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={value}
        list={list}
        onChange={(event) => onChange(event.target.value)}
        className={cx(styles.input, styles.search)}
      />
      {value && (
        <IconButton
          className={styles.inside}
          size="sm"
          tip={false}
          label={t('common.clear')}
          onClick={() => onChange('')}
        >
          <X size={16} />
        </IconButton>
      )}
    </div>
  );
}
