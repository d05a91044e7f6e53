"""Engines, workers and the queue."""

from zhiying.settings.core import BROKER_URL, env

# --- Generation -------------------------------------------------------------------------------------

GENERATION_ENGINE = env.str("GENERATION_ENGINE", default="portrait")
GENERATION_ENGINES = env.names("GENERATION_ENGINES")
"""Further engines that rules may send batches to; see docs/engines.md."""
WORKER_ENGINES = env.names("WORKER_ENGINES")
"""Those that the workers of this machine work with; empty: all."""
FALLBACK_AFTER_S = env.float("FALLBACK_AFTER_S", default=60)
"""How long no worker may be able to work with an engine before what waits for it goes to the next one."""
ENGINE_CREDENTIAL = env.str("ENGINE_CREDENTIAL", default="")
"""What GENERATION_ENGINE shows to its server, until an administrator sets another."""
WORKER_THREADS = env.int("WORKER_THREADS", default=2)
"""Renders at once in one worker process."""
RENDER_THREADS = env.int("RENDER_THREADS", default=0)
"""CPU threads of one render; 0 divides the cores among the renders of a process."""
RENDER_TIME_LIMIT_S = env.float("RENDER_TIME_LIMIT_S", default=1800)
RENDER_MEMORY_LIMIT_MB = env.int("RENDER_MEMORY_LIMIT_MB", default=1500)
RENDER_MAX_TRIES = env.int("RENDER_MAX_TRIES", default=3)
RENDER_RETRY_DELAY_S = env.float("RENDER_RETRY_DELAY_S", default=10)
REMOTE_JOBS = env.int("REMOTE_JOBS", default=500)
"""Jobs of a remote engine that one worker process carries at once."""
REMOTE_TIME_LIMIT_S = env.float("REMOTE_TIME_LIMIT_S", default=6 * 3600)
"""How long a job may wait and run at its server before it is cancelled there and fails."""
LEASE_S = env.float("LEASE_S", default=20)
HEARTBEAT_S = env.float("HEARTBEAT_S", default=2)
"""Progress is written no oftener, and a lease that is still long is not renewed."""
SWEEP_INTERVAL_S = env.float("SWEEP_INTERVAL_S", default=5)
IDLE_LOOK_S = env.float("IDLE_LOOK_S", default=2)
"""How often a worker with free places looks for work by itself, whatever the broker does."""
CREDITS_PER_STARTED_S = {
    engine.strip(): float(seconds)
    for engine, _, seconds in (
        one.rpartition("=") for one in env.names("CREDITS_PER_STARTED_S", default=["0"])
    )
}
"""Each started so many seconds cost a credit, by engine ("" for all others); 0: a video costs one."""
WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", default=0)
"""Where a master of worker processes tells Prometheus their figures; 0: nowhere."""
WORKER_METRICS_HOST = env.str("WORKER_METRICS_HOST", default="127.0.0.1")
LABEL_ENABLED = env.bool("LABEL_ENABLED", default=True)
LABEL_TEXT = env.str("LABEL_TEXT", default="")
LABEL_CORNER = env.str("LABEL_CORNER", default="bottom-right")
LABEL_OPACITY = env.str("LABEL_OPACITY", default="0.75")
AIGC_PRODUCER = env.str("AIGC_PRODUCER", default="ZhiYing")
"""Who made the video, in the AIGC element of its metadata."""
ENGINE_OPTIONS = {
    "label_enabled": "1" if LABEL_ENABLED else "0",
    "label_text": LABEL_TEXT,
    "label_corner": LABEL_CORNER,
    "label_opacity": LABEL_OPACITY,
    "aigc_producer": AIGC_PRODUCER,
}

# --- Queue ------------------------------------------------------------------------------------------

# django-dramatiq insists on a setting; the broker itself is chosen by URL in zhiying.broker.
DRAMATIQ_BROKER = {
    "BROKER": "zhiying.broker.make_broker",
    "OPTIONS": {"url": BROKER_URL},
    "MIDDLEWARE": [
        "dramatiq.middleware.AgeLimit",
        "dramatiq.middleware.Retries",
        "django_dramatiq.middleware.DbConnectionsMiddleware",
        "videos.worker.lifecycle.WorkerLifecycle",
    ],
}
DRAMATIQ_AUTODISCOVER_MODULES = ["tasks"]
