import { Compass, RotateCw, TriangleAlert } from 'lucide-react';
import { Component, type ReactNode } from 'react';
import { Link } from 'react-router';

import { useI18n } from '@/shared/i18n/i18n';
import { useTitle } from '@/shared/lib/hooks';
import { Button, ButtonLink } from '@/shared/ui/button';
import { EmptyState } from '@/shared/ui/states';

export function NotFound() {
  const { t } = useI18n();
  useTitle(t('notFound.title'), t('app.name'));
  return (
    <EmptyState
      icon={<Compass size={26} />}
      title={t('notFound.title')}
      action={
        <ButtonLink>
          <Link to="/batches">{t('notFound.home')}</Link>
        </ButtonLink>
      }
    >
      {t('notFound.text')}
    </EmptyState>
  );
}

function Crash() {
  const { t } = useI18n();
  return (
    <EmptyState
      icon={<TriangleAlert size={26} />}
      title={t('crash.title')}
      action={
        <Button icon={<RotateCw size={16} />} onClick={() => window.location.reload()}>
          {t('crash.reload')}
        </Button>
      }
    >
      {t('crash.text')}
    </EmptyState>
  );
}

/** A screen that breaks says so and leaves the rest of the application alone. */
export class ErrorBoundary extends Component<
  { children: ReactNode; resetKey?: string },
  { broken: boolean }
> {
  override state = { broken: false };

  static getDerivedStateFromError() {
    return { broken: true };
  }

  /** Another address is another chance. */
  override componentDidUpdate(previous: { resetKey?: string }) {
    if (this.state.broken && previous.resetKey !== this.props.resetKey) {
      this.setState({ broken: false });
    }
  }

  override render() {
    return this.state.broken ? <Crash /> : this.props.children;
  }
}
