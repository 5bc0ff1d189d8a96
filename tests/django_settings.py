"""The product's settings as the tests and the type checker see them: nothing taken from the caller's environment."""

import os
from pathlib import Path

VAR_OF_TESTS = Path(__file__).parents[1] / "var" / "tests"
(VAR_OF_TESTS / "static").mkdir(parents=True, exist_ok=True)  # whitenoise warns about a missing folder, and a warning is an error
os.environ["QINGDAN_VAR"] = str(VAR_OF_TESTS)

# No server stands at this address. tests/conftest.py puts the real one in when the first test asks for a database.
os.environ["QINGDAN_DATABASE_URL"] = os.environ.get("QINGDAN_TEST_DATABASE_URL") or "postgresql://postgres@/qingdan?host=/nowhere&port=5432"
os.environ["QINGDAN_SECRET_KEY"] = "only-for-tests-" + "x" * 50
os.environ["QINGDAN_DEMO"] = "1"
for name in ("QINGDAN_BEHIND_TLS_PROXY", "QINGDAN_DEBUG", "QINGDAN_ALLOWED_HOSTS", "QINGDAN_POLICIES"):
    os.environ.pop(name, None)

from qingdan.settings import *  # noqa: E402, F403

# The real hasher takes a quarter of a second on purpose; the tests sign in hundreds of times.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

# Static files straight from the source, so that no test depends on an earlier collectstatic.
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}  # noqa: F405
