"""Generated requests to every operation of the contract, against the real service with something in it."""

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from tests.api.contract import DOCUMENT, without_end
from tests.fuzz.ground import Runtime
from tests.fuzz.target import Target, copies
from tests.stores import STORES

# Operations that never answer 2xx here, and why.
NEVER_2XX = {
    "leave_for_marketplace": "Success is a 303 to the marketplace.",
    "answer_question": "Needs the cookie of a browser that was asked something; tests/browser walks it.",
    "preview_claim": "Needs the claim of a shop that was added at the marketplace; tests/browser walks it.",
    "finish_authorisation": "Needs the cookie of a browser that left for the marketplace; tests/browser walks it.",
}
NOT_CHECKED = [
    # What fits the schema can be refused for what no schema says: an unknown currency, another list's cursor.
    positive_data_acceptance,
    # Its many guesses end in 429, as guesses do; tests/api asks every operation without a key.
    ignored_auth,
]
contract = schemathesis.openapi.from_dict(DOCUMENT)
contract.config.generation.with_security_parameters = False
# A stale version and a body that is too large are told before the body is read.
contract.config.checks.negative_data_rejection.expected_statuses += ["412", "413"]


@pytest.fixture(params=[STORES], ids=" and ".join)
def targets(request: pytest.FixtureRequest, grounds: dict[str, Runtime]) -> Iterator[list[Target]]:
    """What the operation of one test is aimed at on each store. In the end it must have worked at least once."""
    targets = [Target(grounds[store]) for store in request.param]
    yield targets
    for target in targets:
        succeeded = any(200 <= status < 300 for status in target.statuses)
        assert succeeded != (target.operation_id in NEVER_2XX), f"{target.operation_id}: {target.statuses}"


@contract.parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
def test_operation(case: Case, targets: list[Target]):
    # To think of a request takes longer than to send it.
    for target, same in zip(targets, copies(case, len(targets)), strict=True):
        target.aim(same)
        ground = target.ground
        response = same.call(
            ground.service.url,
            ground.visitor(),
            {"Authorization": f"Bearer {ground.key}", **without_end(target.operation_id)},
            allow_redirects=False,
        )
        target.statuses.add(response.status_code)
        same.validate_response(response, excluded_checks=NOT_CHECKED)
