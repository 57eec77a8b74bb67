"""The closed sets of codes that callers switch on: a code that is not here cannot be raised, mypy sees to that."""

from typing import Literal, get_args

# How a seller's way to the marketplace may fail: `error` in the address of the return.
CallbackError = Literal[
    "access_denied",
    "account_already_connected",
    "account_in_use",
    "account_mismatch",
    "attempt_expired",
    "attempt_used",
    "exchange_failed",
    "insufficient_scope",
    "state_mismatch",
]

# Every `code` of a problem.
ProblemCode = Literal[
    "access_token_rejected",
    "account_already_connected",
    "account_disabled",
    "account_in_use",
    "account_mismatch",
    "already_running",
    "bad_grant",
    "bad_request",
    "blank",
    "body_too_large",
    "channel_refused",
    "channel_unavailable",
    "client_rejected",
    "client_secret_needed",
    "confirmation_required",
    "conflict",
    "connection_failed",
    "content_encoding_unsupported",
    "credentials_unreadable",
    "currency_not_offered",
    "duplicate_member",
    "gateway_page",
    "grant_rejected",
    "idempotency_in_progress",
    "idempotency_key_reused",
    "insufficient_scope",
    "integration_disabled",
    "integration_draft",
    "integration_needs_reauth",
    "integration_not_removed",
    "integration_paused",
    "integration_removed",
    "internal_error",
    "invalid_character",
    "invalid_cursor",
    "issuer_unavailable",
    "malformed_json",
    "malformed_length",
    "marketplace_unavailable",
    "merchant_mismatch",
    "method_not_allowed",
    "no_envelope",
    "not_connected",
    "not_for_this_kind",
    "not_found",
    "not_utf8",
    "number_out_of_range",
    "rate_limited",
    "reauthorise_required",
    "redirect",
    "refresh_outcome_unknown",
    "refresh_token_rejected",
    "renewal_postponed",
    "reply_not_understood",
    "return_url_not_allowed",
    "secret_masked",
    "server_error",
    "stale_version",
    "stock_job_open",
    "storage_unavailable",
    "timeout",
    "token_not_sent",
    "tokens_differ",
    "too_deep",
    "too_large",
    "too_small",
    "unexpected_shape",
    "unauthorised",
    "unknown_channel",
    "unknown_event",
    "unknown_event_type",
    "unreadable",
    "unsupported_media_type",
    "validation_failed",
    "window_invalid",
]

# Why an integration is not simply active, or not in full.
StatusReason = Literal[
    "account_disabled_at_wish",
    "client_rejected",
    "credentials_unreadable",
    "degraded",
    "merchant_mismatch",
    "refresh_outcome_unknown",
    "refresh_token_rejected",
]

# The last ones never leave a run or a command.
ErrorCode = ProblemCode | CallbackError | Literal["run_lost", "run_stopped", "wrong_key"]

CALLBACK_ERRORS: tuple[CallbackError, ...] = get_args(CallbackError)
PROBLEM_CODES: tuple[ProblemCode, ...] = get_args(ProblemCode)
STATUS_REASONS: tuple[StatusReason, ...] = get_args(StatusReason)
