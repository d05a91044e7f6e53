"""What an installation under chaos is told: times so short that an hour sees much."""

from tests.servers.topology import ROOT
from tests.support.scripted_engine import NAME, VARIABLE

METRICS_TOKEN = "of-the-soak"
VARIABLES = {
    "EXTRA_ENGINES": VARIABLE,
    "GENERATION_ENGINE": NAME,
    "PYTHONPATH": str(ROOT),
    "FACE_CHECK": "0",
    "LEASE_S": "3",
    "HEARTBEAT_S": "0.5",
    "SWEEP_INTERVAL_S": "1",
    "IDLE_LOOK_S": "1",
    "RENDER_RETRY_DELAY_S": "0.2",
    # Longer than a worker is frozen.
    "RENDER_TIME_LIMIT_S": "12",
    # Blows come so often that some item is hit several times.
    "RENDER_MAX_TRIES": "6",
    # Files whose order never came stay for a day.
    "UPLOAD_MAX_OPEN_FILES": "10000",
    "WEB_THREADS": "8",
    "METRICS_TOKEN": METRICS_TOKEN,
    "WORKER_METRICS_PORT": "9101",
    # An attempt whose server is killed stays counted, and all users come from one network with one password.
    "LOGIN_FAILURE_LIMIT": "100000",
    "LOGIN_USER_FAILURE_LIMIT": "100000",
    "LOGIN_NETWORK_FAILURE_LIMIT": "100000",
    "LOGIN_PASSWORD_FAILURE_LIMIT": "100000",
    "LOGIN_INSTALLATION_FAILURE_LIMIT": "100000",
}
DATABASE_SETTINGS = {"synchronous_commit": "on"}
"""What was committed is there after a crash of the server."""
