"""The webhook operations of the merchant API: query parameters, no bodies, private apps only."""

from wish_simulator.calls import Answer, Call, Operation, answered
from wish_simulator.documents import to_bytes
from wish_simulator.refusals import invalid
from wish_simulator.subscriptions import TOPICS, Subscription


def list_topics(call: Call) -> Answer:
    return answered(call, [{"id": id, "topic_name": name, "api_version": "V3"} for id, name in TOPICS.items()])


def list_subscriptions(call: Call) -> Answer:
    grant = call.grant_token.grant
    subscriptions = call.market.subscriptions.of(grant.app, grant.merchant.id)
    return answered(call, [subscription.document() for subscription in subscriptions])


def create(call: Call) -> Answer:
    _refuse_public(call)
    topic_id, endpoint = call.query.get("topic_id"), call.query.get("endpoint")
    if not topic_id or not endpoint:
        raise invalid("topic_id and endpoint are required")
    grant = call.grant_token.grant
    created = call.market.subscriptions.create(grant.app, grant.merchant.id, topic_id, endpoint)
    return to_bytes(created.document())


def get(call: Call) -> Answer:
    return answered(call, _subscription(call).document())


def reactivate(call: Call) -> Answer:
    _refuse_public(call)
    subscription = _subscription(call)
    call.one_of("status", ("ACTIVE",))
    if subscription.status == "ACTIVE":
        raise invalid("the subscription is active; delete it and create another")
    endpoint = call.query.get("endpoint", subscription.endpoint)
    call.market.subscriptions.refuse_endpoint(endpoint)
    subscription.endpoint = endpoint
    subscription.status = "ACTIVE"
    return to_bytes(subscription.document())


def delete(call: Call) -> Answer:
    _refuse_public(call)
    call.market.subscriptions.delete(_subscription(call))
    return None


def _refuse_public(call: Call) -> None:
    if call.grant_token.grant.app.kind == "public":
        raise invalid("subscriptions of public apps are managed in the ERP dashboard")


def _subscription(call: Call) -> Subscription:
    grant = call.grant_token.grant
    return call.market.subscriptions.find(grant.app, grant.merchant.id, call.id_of("subscription"))


OPERATIONS = (
    Operation("GET", "/api/v3/webhook/topics", list_topics, "webhook:read"),
    Operation("GET", "/api/v3/webhook/subscriptions", list_subscriptions, "webhook:read"),
    Operation("POST", "/api/v3/webhook/subscriptions", create, "webhook:write"),
    Operation("GET", "/api/v3/webhook/subscriptions/{id}", get, "webhook:read"),
    Operation("PUT", "/api/v3/webhook/subscriptions/{id}", reactivate, "webhook:write"),
    Operation("DELETE", "/api/v3/webhook/subscriptions/{id}", delete, "webhook:write"),
)
