"""Users, passwords, tokens and limits on attempts."""

from datetime import timedelta

from zhiying.settings.core import env
from zhiying.settings.security import JWT_SIGNING_KEY

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
ADMIN_USERNAME = env.str("ADMIN_USERNAME", default="") or "admin"
ADMIN_PASSWORD = env.str("ADMIN_PASSWORD", default="")
"""Of the first administrator; empty: generated and shown once."""
LOGIN_URL = "admin:login"
SIGNUP_CREDITS = env.int("SIGNUP_CREDITS", default=100)
ACCESS_TOKEN_LIFETIME_S = env.int("ACCESS_TOKEN_LIFETIME_S", default=12 * 3600)
REFRESH_TOKEN_LIFETIME_S = env.int("REFRESH_TOKEN_LIFETIME_S", default=30 * 86_400)
SESSION_MAX_LIFETIME_S = env.int("SESSION_MAX_LIFETIME_S", default=90 * 86_400)
"""After which a session ends however often it was refreshed."""
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_LIFETIME_S),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=REFRESH_TOKEN_LIFETIME_S),
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "UPDATE_LAST_LOGIN": False,
}
LOGIN_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=10)
"""Wrong passwords of one user from one network, after which that network waits."""
LOGIN_COOLOFF_S = env.int("LOGIN_COOLOFF_S", default=900)
LOGIN_WINDOW_S = env.int("LOGIN_WINDOW_S", default=3600)
"""Over which the broader limits count; where users logged in lately, they do not hold for them."""
LOGIN_USER_FAILURE_LIMIT = env.int("LOGIN_USER_FAILURE_LIMIT", default=50)
LOGIN_NETWORK_FAILURE_LIMIT = env.int("LOGIN_NETWORK_FAILURE_LIMIT", default=100)
LOGIN_PASSWORD_FAILURE_LIMIT = env.int("LOGIN_PASSWORD_FAILURE_LIMIT", default=20)
LOGIN_INSTALLATION_FAILURE_LIMIT = env.int("LOGIN_INSTALLATION_FAILURE_LIMIT", default=1000)
ANONYMOUS_CALLS_PER_MINUTE = env.int("ANONYMOUS_CALLS_PER_MINUTE", default=300)
"""Log-ins, and refreshes, of one network."""
ADMIN_TOTP = env.str("ADMIN_TOTP", default="off")
"""off; optional: administrators may set up a second factor; required: they must."""
