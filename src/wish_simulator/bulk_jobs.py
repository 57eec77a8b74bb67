"""Jobs of one shop: the download of orders, the download of the catalogue, the update of many products."""

from wish_simulator.bodies import ChangedProduct, read
from wish_simulator.documents import Document, to_bytes
from wish_simulator.jobs import Job, JobKind, JobStatus
from wish_simulator.marketplace import Marketplace
from wish_simulator.order_book import OrderQuery
from wish_simulator.order_files import WRITERS, Writer, as_they_are
from wish_simulator.product_changes import product_row, update_product
from wish_simulator.refusals import Refusal, invalid
from wish_simulator.shop import Shop


def queue_order_download(market: Marketplace, shop: Shop, query: OrderQuery) -> Job:
    job = _queued(market, shop, JobKind.ORDERS)

    def begin(at_ms: int) -> None:
        job.status = JobStatus.CREATING

    def finish(at_ms: int) -> None:
        rows = shop.orders.page(query)
        job.total = job.processed = len(rows)
        write = WRITERS[market.switches.order_file_format]
        _deliver(market, job, [row.content for row in rows], at_ms, write)

    market.agenda.at((job.created_ms + job.due_ms) // 2, begin)
    market.agenda.at(job.due_ms, finish)
    return job


def queue_catalogue_download(market: Marketplace, shop: Shop) -> Job:
    job = _queued(market, shop, JobKind.CATALOGUE)

    def finish(at_ms: int) -> None:
        lines = [to_bytes(row.document) for row in shop.catalogue]
        job.total = job.processed = len(lines)
        _deliver(market, job, lines, at_ms)

    market.agenda.at(job.due_ms, finish)
    return job


def queue_product_update(market: Marketplace, shop: Shop, elements: list[Document]) -> Job:
    """Elements without an id refuse the call; every other fault is a line of the result file."""
    most = market.switches.bulk_max_products
    if most is not None and len(elements) > most:
        raise invalid(f"at most {most} products in one call")
    if not all(isinstance(element.get("id"), str) for element in elements):
        raise invalid("every product needs its id")
    job = _queued(market, shop, JobKind.UPDATE)
    job.total = len(elements)
    market.agenda.at(job.due_ms, lambda at_ms: _update(market, shop, job, elements, at_ms))
    return job


def _update(market: Marketplace, shop: Shop, job: Job, elements: list[Document], at_ms: int) -> None:
    stop_after = market.switches.job_exception_after
    lines = []
    for element in elements[:stop_after]:
        lines.append(to_bytes(_result(market, shop, element)))
        job.processed += 1
    if stop_after is not None:
        job.finish(JobStatus.EXCEPTION, at_ms)
        return
    _deliver(market, job, lines, at_ms)


def _result(market: Marketplace, shop: Shop, element: Document) -> Document:
    product_id = element["id"]
    try:
        if product_id in market.switches.refused_product_ids:
            raise invalid("the product cannot be updated now")
        body = read(to_bytes(element), ChangedProduct)
        answer = update_product(market, shop, product_row(shop, product_id), body)
    except Refusal as refusal:
        return {"product_id": product_id, "code": refusal.code, "message": refusal.message}
    result = {"product_id": product_id, "code": 0, "message": ""}
    return {**result, "request_id": answer["request_id"]} if answer.get("request_id") else result


def _queued(market: Marketplace, shop: Shop, kind: JobKind) -> Job:
    job = Job(kind, market.clock.now_ms(), market.later(market.switches.job_delay_s))
    shop.jobs[job.id] = job
    return job


def _deliver(market: Marketplace, job: Job, lines: list[bytes], at_ms: int, write: Writer = as_they_are) -> None:
    if market.switches.job_exception_after is not None:
        job.finish(JobStatus.EXCEPTION, at_ms)
        return
    job.expires_ms = at_ms + int(market.switches.file_ttl_s * 1000)
    job.file_names = market.files.store(lines, market.switches.file_max_lines, job.expires_ms, write)
    job.finish(JobStatus.READY, at_ms)
