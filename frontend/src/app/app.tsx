import { QueryClientProvider } from '@tanstack/react-query';
import { Suspense, useState, type ComponentProps } from 'react';
import { BrowserRouter } from 'react-router';

import { I18nProvider } from '@/shared/i18n/i18n';
import { PageSpinner } from '@/shared/ui/states';
import { TipProvider } from '@/shared/ui/tip';
import { ToastProvider } from '@/shared/ui/toast';

import { ErrorBoundary } from './fallbacks';
import { createQueryClient } from './query-client';
import { AppRoutes } from './router';

export function App({ initial }: { initial: ComponentProps<typeof I18nProvider>['initial'] }) {
  const [client] = useState(createQueryClient);
  return (
    <QueryClientProvider client={client}>
      <I18nProvider initial={initial}>
        <TipProvider delayDuration={400}>
          <BrowserRouter>
            <ToastProvider>
              <ErrorBoundary>
                <Suspense fallback={<PageSpinner />}>
                  <AppRoutes />
                </Suspense>
              </ErrorBoundary>
            </ToastProvider>
          </BrowserRouter>
        </TipProvider>
      </I18nProvider>
    </QueryClientProvider>
  );
}
