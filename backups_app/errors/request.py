"""What was sent cannot be read or does not hold together; nothing began."""

from __future__ import annotations

from backups_app.errors.base import TempleOpsError


class IdempotencyKeyReused(TempleOpsError):
    code, status, exit_code = "idempotency_key_reused", 422, 2
    sentence = "This Idempotency-Key was already used for a different request. Nothing was started."


class InvalidInput(TempleOpsError):
    """Facts: `message`."""

    code, status, exit_code = "validation_error", 422, 2
    sentence = "{message}"


class InvalidBackupId(TempleOpsError):
    code, status, exit_code = "invalid_backup_id", 422, 2
    sentence = "That is not a backup id. Ids look like 20250119_143022."


class BodyTooLarge(TempleOpsError):
    code, status = "body_too_large", 413
    sentence = "This request is larger than 1 MiB. Nothing of it was read, and nothing was done."
    hint = "No page and no API of TempleOps takes a file"


class LengthRequired(TempleOpsError):
    code, status = "length_required", 411
    sentence = "This request does not say how long it is. Nothing of it was read, and nothing was done."
    hint = "Send Content-Length instead of Transfer-Encoding: chunked"


class BadRequest(TempleOpsError):
    """Facts: `message`."""

    code, status = "bad_request", 400
    sentence = "{message}"


class FieldsInvalid(InvalidInput):
    """Facts: `message`; `errors` is a list of `{"field", "message"}`."""
