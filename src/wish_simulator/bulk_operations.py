"""The bulk product operations of the merchant API."""

from wish_simulator.bodies import read
from wish_simulator.bulk_jobs import queue_catalogue_download, queue_product_update
from wish_simulator.calls import Answer, Call, Operation, answered
from wish_simulator.documents import Document
from wish_simulator.jobs import Job, JobKind
from wish_simulator.refusals import UnknownId


def download_catalogue(call: Call) -> Answer:
    return _answer(call, queue_catalogue_download(call.market, call.shop))


def update_products(call: Call) -> Answer:
    elements: list[Document] = read(call.body, list[Document])
    return _answer(call, queue_product_update(call.market, call.shop, elements))


def get_catalogue_download(call: Call) -> Answer:
    return _answer(call, _job(call, JobKind.CATALOGUE))


def get_update(call: Call) -> Answer:
    return _answer(call, _job(call, JobKind.UPDATE))


def _job(call: Call, kind: JobKind) -> Job:
    job = call.shop.jobs.get(call.id_of("job"))
    if job is None or job.kind is not kind:
        raise UnknownId("job")
    return job


def _answer(call: Call, job: Job) -> Answer:
    document = job.document(lambda name: f"{call.base_url}/files/{name}", call.market.switches.time_suffix)
    return answered(call, document)


OPERATIONS = (
    Operation("POST", "/api/v3/products/bulk_get", download_catalogue, "products:read"),
    Operation("GET", "/api/v3/products/bulk_get/{id}", get_catalogue_download, "products:read"),
    Operation("POST", "/api/v3/products/bulk_update", update_products, "products:write"),
    Operation("GET", "/api/v3/products/bulk_update/{id}", get_update, "products:read"),
)
