"""Who may do what, and from where."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class NotAuthenticated(TempleOpsError):
    code, status = "not_authenticated", 401
    sentence = "You are not signed in, or your session has ended. Sign in and try again."


class TokenExpired(NotAuthenticated):
    code = "token_expired"
    sentence = "This access token has expired. Get a new one with your refresh token, or sign in again."


class LoginRefused(NotAuthenticated):
    sentence = "Wrong user name or password."


class StepUpNeeded(TempleOpsError):
    code, status = "insufficient_user_authentication", 401
    sentence = "This needs your password again, because your login is older than 15 minutes. Nothing was done."
    hint = "Sign in again and repeat the request"


class RoleRequired(TempleOpsError):
    code, status = "role_required", 403
    sentence = "Backup Management is for Super Admin (role 0) and Admin (role 1)."


class SuperAdminRequired(TempleOpsError):
    code, status = "super_admin_required", 403
    sentence = "People are managed by Super Admins (role 0)."


class NotYours(TempleOpsError):
    code, status = "more_than_own", 403
    sentence = "Nobody can grant more than they have, or change a person who has more. Nothing was changed."


class LastSuperAdmin(TempleOpsError):
    code, status = "last_super_admin", 409
    sentence = "This is the last Super Admin who can sign in. Nothing was changed."
    hint = "Make another person a Super Admin first"


class NameTaken(TempleOpsError):
    code, status = "name_taken", 409
    sentence = "This user name is taken or cannot be a name. Nobody was added."


class PasswordTooWeak(TempleOpsError):
    code, status = "password_too_weak", 422
    sentence = "The new password needs at least 10 characters, 5 different ones, and must not be the user name."


class HttpsRequired(TempleOpsError):
    code, status = "https_required", 403
    sentence = "TempleOps is reached by HTTPS only: plain HTTP would show passwords to everybody on the network."
    hint = "Put a TLS proxy in front, or set ALLOW_PLAIN_HTTP=true for a temple's own network"


class HostNotAllowed(TempleOpsError):
    code, status = "host_not_allowed", 400
    sentence = "TempleOps is not set up to be reached under the name in this address. Nothing was done."
    hint = "Add the name, as it stands in the browser's address, to ALLOWED_HOSTS in .env and restart TempleOps."


class ForeignOrigin(TempleOpsError):
    code, status = "foreign_origin", 403
    sentence = "The browser says that another site sent this request. Nothing was done."
    hint = "Open TempleOps itself and repeat it there"


class RateLimited(TempleOpsError):
    """Facts: `seconds`, a whole number: when it is worth trying again."""

    code, status = "rate_limited", 429
    sentence = "Too many failed logins. Try again in {seconds} seconds."
