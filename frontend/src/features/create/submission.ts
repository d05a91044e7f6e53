/**
 * The check or submission under way, and what came of the last one. They live outside the components, as the
 * draft does: an upload goes on while another screen is looked at, and whoever comes back finds the form as it
 * was left, locked until the upload has ended.
 */
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useSyncExternalStore } from 'react';

import { forgetUploads } from '@/shared/api/direct-upload';
import { toApiError, type ApiError } from '@/shared/api/errors';
import { problemList, problemsOf } from '@/shared/api/problems';
import { onTokensChange } from '@/shared/api/tokens';
import type { CreatedBatch, DryRun, FileProblem } from '@/shared/api/types';
import { useI18n } from '@/shared/i18n/i18n';
import { useToast } from '@/shared/ui/toast';

import { draftStore, unheardOf, useDraft, type Draft } from './draft';
import { bytesOf, filesOf, isUnheard, send, shares, type Sending } from './send';
import { useCreateTexts } from './texts';

interface State {
  sending: Sending | null;
  /** Each with the key of the draft that it is true of. */
  checked: { key: string; answer: DryRun } | null;
  failed: { key: string; failure: ApiError } | null;
}

/** What the form does with a batch that was made of it. */
type Form = (batch: CreatedBatch) => void;

/** What else there is to do at the end; `form` is null while another screen is looked at. */
interface Ends {
  created: (batch: CreatedBatch, form: Form | null) => void;
  failed: (failure: ApiError, kind: Sending['kind'], unheard: boolean, form: Form | null) => void;
}

const ask = (event: BeforeUnloadEvent) => event.preventDefault();

class Submissions {
  private state: State = { sending: null, checked: null, failed: null };
  private readonly listeners = new Set<() => void>();
  private running: AbortController | null = null;
  private form: Form | null = null;

  readonly get = (): State => this.state;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  private set(change: Partial<State>): void {
    this.state = { ...this.state, ...change };
    for (const listener of this.listeners) listener();
  }

  /** For as long as the form is on the screen. */
  show(form: Form): () => void {
    this.form = form;
    return () => {
      if (this.form === form) this.form = null;
    };
  }

  readonly cancel = (): void => this.running?.abort();

  async run(kind: Sending['kind'], ends: Ends): Promise<void> {
    // A second click arrives before React has disabled the button.
    if (this.running) return;
    const running = new AbortController();
    this.running = running;
    const draft = draftStore.get();
    // What was begun for one user is not finished with the session of another.
    const forgetSession = onTokensChange((tokens) => {
      if (tokens === null) running.abort();
    });
    // The browser asks before files in transit are thrown away; the draft itself is kept.
    window.addEventListener('beforeunload', ask);
    let end: () => void;
    try {
      const answer = await this.send(kind, draft, running.signal);
      end = () => this.succeeded(draft, answer, ends);
    } catch (error) {
      end = () => this.failed(draft, toApiError(error), kind, ends);
    }
    window.removeEventListener('beforeunload', ask);
    forgetSession();
    this.running = null;
    this.set({ sending: null });
    end();
  }

  private send(kind: Sending['kind'], draft: Draft, signal: AbortSignal) {
    const total = bytesOf(draft);
    const show = (sent: number, done: readonly number[]) => {
      if (!signal.aborted)
        this.set({ sending: { kind, sent: Math.min(sent, total), total, shares: done } });
    };
    this.set({ failed: null });
    show(0, shares(draft, 0));
    return send(kind, draft, signal, show);
  }

  private succeeded(draft: Draft, answer: CreatedBatch | DryRun, ends: Ends): void {
    if (!('batch_id' in answer)) {
      this.set({ checked: { key: draft.key, answer } });
      return;
    }
    forgetUploads(filesOf(draft));
    if (isCurrent(draft)) draftStore.clear();
    ends.created(answer, this.form);
  }

  private failed(draft: Draft, failure: ApiError, kind: Sending['kind'], ends: Ends): void {
    if (failure.code === 'aborted') return;
    if (isCurrent(draft)) {
      const { images, audio } = problemsOf(failure);
      draftStore.markProblems(images, audio);
    }
    this.set({ failed: { key: draft.key, failure } });
    const unheard = unheardOf(draftStore.get())?.key === draft.key;
    ends.failed(failure, kind, unheard, this.form);
  }
}

/** Whether what was sent is still the draft; of another one, nothing was said. */
const isCurrent = ({ key }: Draft) => draftStore.get().key === key;

export const submissions = new Submissions();

/** What is wrong with the choice of an engine. */
function engineProblemOf({ body: { errors } }: ApiError): FileProblem | null {
  const said = typeof errors === 'object' && errors !== null && 'engine' in errors;
  return said ? (problemList([errors.engine])[0] ?? null) : null;
}

/** What ends while another screen is looked at is told there. */
function useEnds(): Ends {
  const client = useQueryClient();
  const toast = useToast();
  const { t } = useI18n();
  const text = useCreateTexts();
  const askAnew = () => {
    void client.invalidateQueries({ queryKey: ['profile'] });
    void client.invalidateQueries({ queryKey: ['ledger'] });
    void client.invalidateQueries({ queryKey: ['batches', 'list'] });
  };
  return {
    created: (batch, form) => {
      askAnew();
      if (form) return form(batch);
      const link = { to: `/batches/${batch.batch_id}`, text: t('ledger.showBatch') };
      toast(t('create.submitted'), 'ok', link);
    },
    failed: (failure, kind, unheard, form) => {
      if (unheard) askAnew();
      else if (failure.code === 'insufficient_credits')
        void client.invalidateQueries({ queryKey: ['profile'] });
      if (form || kind === 'check') return;
      const title = t(
        unheard || failure.isConnection ? 'create.connectionTitle' : 'create.failedTitle',
      );
      toast(title, 'bad', { to: '/new', text: text('toDraft') });
    },
  };
}

export function useSubmission(onCreated: Form) {
  const { sending, checked, failed } = useSyncExternalStore(submissions.subscribe, submissions.get);
  const ends = useEnds();
  useEffect(() => submissions.show(onCreated));

  const draft = useDraft();
  const { key } = draft;
  const failure = failed?.key === key ? failed.failure : null;
  const unheard = sending === null && unheardOf(draft) !== null;
  return {
    sending,
    /** What a check found of the draft as it is now. */
    passed: checked?.key === key && checked.answer.ok ? checked.answer : null,
    /** The draft as it is now may have been taken, and the answer lost. */
    unheard,
    /** No answer says what came of it; the same again does. */
    broken: unheard || (failure?.isConnection ?? false),
    /** Why it was not taken, as far as the server said. */
    refusal: failure && !(unheard ? isUnheard(failure) : failure.isConnection) ? failure : null,
    /** Why its engine was refused. */
    refusedEngine: failure && engineProblemOf(failure),
    submit: () => void submissions.run('submit', ends),
    check: () => void submissions.run('check', ends),
    cancel: submissions.cancel,
  };
}
