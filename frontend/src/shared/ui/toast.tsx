import { CircleAlert, CircleCheck, X } from 'lucide-react';
import { createContext, useCallback, useContext, useEffect, useState, type ReactNode } from 'react';
import { Link } from 'react-router';

import { useI18n } from '../i18n/i18n';
import { cx } from '../lib/cx';
import { IconButton } from './button';
import styles from './toast.module.css';

const SHOWN_MS = 6_000;

/** To what a message is about. */
interface ToastLink {
  to: string;
  text: string;
}

interface Message {
  id: number;
  text: string;
  tone: 'ok' | 'bad';
  link: ToastLink | undefined;
}

type Notify = (text: string, tone?: Message['tone'], link?: ToastLink) => void;

const Context = createContext<Notify>(() => undefined);
let nextId = 1;

/** Short messages about what just happened, spoken by screen readers as they appear. */
export function ToastProvider({ children }: { children: ReactNode }) {
  const [messages, setMessages] = useState<Message[]>([]);
  const { t } = useI18n();
  const notify = useCallback<Notify>((text, tone = 'ok', link = undefined) => {
    setMessages((current) => [...current.slice(-2), { id: nextId++, text, tone, link }]);
  }, []);
  const drop = useCallback((id: number) => {
    setMessages((current) => current.filter((message) => message.id !== id));
  }, []);
  return (
    <Context value={notify}>
      {children}
      <div
        className={styles.viewport}
        role="log"
        aria-live="polite"
        aria-label={t('common.notification')}
      >
        {messages.map((message) => (
          <Toast key={message.id} message={message} onEnd={drop} />
        ))}
      </div>
    </Context>
  );
}

function Toast({ message, onEnd }: { message: Message; onEnd: (id: number) => void }) {
  const { t } = useI18n();
  const [held, setHeld] = useState(false);
  const { id, link } = message;
  // Whoever points at a message or tabs into it has not finished reading.
  useEffect(() => {
    if (held) return;
    const timer = window.setTimeout(() => onEnd(id), SHOWN_MS);
    return () => window.clearTimeout(timer);
  }, [held, id, onEnd]);
  return (
    <div
      className={cx(styles.toast, styles[message.tone])}
      onMouseEnter={() => setHeld(true)}
      onMouseLeave={() => setHeld(false)}
      onFocus={() => setHeld(true)}
      onBlur={() => setHeld(false)}
    >
      {message.tone === 'ok' ? (
        <CircleCheck size={18} aria-hidden="true" />
      ) : (
        <CircleAlert size={18} aria-hidden="true" />
      )}
      <p className={styles.text}>
        {message.text}
        {link && (
          <Link to={link.to} className={styles.link} onClick={() => onEnd(id)}>
            {link.text}
          </Link>
        )}
      </p>
      <IconButton label={t('common.close')} size="sm" tip={false} onClick={() => onEnd(id)}>
        <X size={16} />
      </IconButton>
    </div>
  );
}

export function useToast(): Notify {
  return useContext(Context);
}
