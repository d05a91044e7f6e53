import type {
  AuditEntry,
  Batch,
  DryRun,
  EngineStatus,
  Item,
  OfferedEngine,
  Progress,
  User,
} from '@/shared/api/types';

export function makeUser(part: Partial<User> = {}): User {
  return {
    id: 'user-1',
    username: 'lin',
    credits: 20,
    isAdmin: false,
    is_admin: false,
    is_active: true,
    group: null,
    created_at: '2026-11-01T08:00:00Z',
    ...part,
  };
}

export function makeItem(part: Partial<Item> = {}): Item {
  const id = part.id ?? 'item-1';
  return {
    id,
    batch_id: 'batch-1',
    position: 0,
    original_name: `${id}.jpg`,
    sourceImage: `http://localhost/media/${id}.jpg`,
    source_image_url: `http://localhost/media/${id}.jpg`,
    thumbnail_url: `http://localhost/media/${id}-small.jpg`,
    videoUrl: part.status === 'completed' ? `http://localhost/media/${id}.mp4` : '',
    video_url: '',
    poster_url: '',
    status: 'pending',
    engine: '',
    server_position: null,
    server_eta_s: null,
    progress: 0,
    elapsed_time: 0,
    error_code: '',
    error_msg: '',
    retry_helps: false,
    api_task_id: null,
    duration: null,
    video_width: null,
    video_height: null,
    width: 600,
    height: 800,
    price: 1,
    files_removed: false,
    notes: [],
    ...part,
  };
}

export function progressOf(items: readonly Item[], part: Partial<Progress> = {}): Progress {
  const count = (status: Item['status']) => items.filter((item) => item.status === status).length;
  return {
    overall_progress: Math.round(
      items.reduce((sum, item) => sum + (item.status === 'completed' ? 100 : item.progress), 0) /
        Math.max(1, items.length),
    ),
    total: items.length,
    completed: count('completed'),
    processing: count('processing'),
    pending: count('pending'),
    queued: count('pending'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    queue_position: null,
    eta_seconds: null,
    eta_waiting_seconds: null,
    eta_rendering_seconds: null,
    ...part,
  };
}

export function makeBatch(items: Item[], part: Partial<Batch> = {}): Batch {
  return {
    id: 'batch-1',
    userId: 'user-1',
    user_id: 'user-1',
    userName: 'lin',
    name: '批次 2026-11-22',
    status: 'processing',
    timestamp: Date.parse('2026-11-22T09:30:00Z'),
    created_at: '2026-11-22T09:30:00Z',
    prompt: '微笑',
    expires_at: null,
    files_removed: false,
    audioName: '开场白.wav',
    audio_url: 'http://localhost/media/a.wav',
    audio_duration: 7,
    imageCount: items.length,
    image_count: items.length,
    creditsUsed: items.length,
    price_per_image: 1,
    engine: 'portrait',
    engine_label: 'Portrait',
    waiting_reason: '',
    items,
    progress: progressOf(items),
    ...part,
  };
}

export function makeOffer(part: Partial<OfferedEngine> = {}): OfferedEngine {
  return {
    engine: 'portrait',
    label: 'Portrait',
    ready: true,
    detail: '',
    is_default: false,
    ...part,
    capabilities: { understands_prompt: true, ...part.capabilities },
    limits: { understands_prompt: true, ...part.limits },
  };
}

export function makeStatus(part: Partial<EngineStatus> = {}): EngineStatus {
  return {
    engine: 'portrait',
    label: 'Portrait',
    ready: true,
    detail: '',
    queue: { pending: 0, processing: 0 },
    capabilities: {},
    limits: {},
    engines: [makeOffer({ is_default: true })],
    ...part,
  };
}

/** Of a batch of one video, of which nothing is wrong. */
export function makeDryRun(part: Partial<DryRun> = {}): DryRun {
  return {
    ok: true,
    image_count: 1,
    price_per_image: 1,
    price: 1,
    credits: 20,
    sufficient: true,
    duration: 3,
    notices: [],
    engine: { name: 'portrait', label: 'Portrait' },
    ...part,
  };
}

export function makeAuditEntry(part: Partial<AuditEntry> = {}): AuditEntry {
  return {
    number: 1,
    id: 'entry-1',
    created_at: '2026-11-20T08:00:00Z',
    action: 'user.deactivate',
    action_label: 'User deactivated',
    acting_as: 'administrator',
    actor_id: 'admin-1',
    actor_name: 'boss',
    target_kind: 'user',
    target_id: 'user-2',
    target_name: 'mei',
    owner_id: 'user-2',
    owner_name: 'mei',
    reason: 'spam',
    details: {},
    request_id: '',
    client_address: '10.0.0.7',
    ...part,
  };
}

/** One video of each state but cancelled. */
export const mixedItems = () => [
  makeItem({ id: 'a', status: 'completed', duration: 7 }),
  makeItem({ id: 'b', status: 'processing', progress: 40 }),
  makeItem({ id: 'c', status: 'failed', error_code: 'no_face', error_msg: 'No face.' }),
  makeItem({ id: 'd', status: 'pending' }),
];
