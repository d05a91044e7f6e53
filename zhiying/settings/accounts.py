"""Users, passwords, tokens and limits on attempts."""

from datetime import timedelta

from zhiying.settings.core import env
from zhiying.settings.security import JWT_SIGNING_KEY

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
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
SIMPLE_JWT = {
    "ACCESS_TOKEN_LIFETIME": timedelta(seconds=ACCESS_TOKEN_LIFETIME_S),
    "REFRESH_TOKEN_LIFETIME": timedelta(seconds=REFRESH_TOKEN_LIFETIME_S),
    "SIGNING_KEY": JWT_SIGNING_KEY,
    "UPDATE_LAST_LOGIN": False,
}
AXES_FAILURE_LIMIT = env.int("LOGIN_FAILURE_LIMIT", default=10)
AXES_COOLOFF_TIME = timedelta(seconds=env.int("LOGIN_COOLOFF_S", default=900))
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # an address alone would lock out a whole office
AXES_RESET_ON_SUCCESS = True
AXES_HTTP_RESPONSE_CODE = 429
AXES_CLIENT_IP_CALLABLE = "zhiying.kernel.client_address.client_ip"
AXES_LOCKOUT_CALLABLE = "adminpanel.lockout.lockout_response"
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["old_password", "new_password", "new_password1", "new_password2", "again"]
AXES_DISABLE_ACCESS_LOG = True
