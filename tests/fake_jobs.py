"""Jobs of a marketplace in memory: each is ready after some looks at it, or has failed."""

from typing import Protocol

from channel_sync.domain.job_state import JobState


class JobBook(Protocol):
    """The jobs of one merchant."""

    polls_until_ready: int
    job_polls: dict[str, int]
    failing_jobs: set[str]


def start_job(owner: JobBook, kind: str) -> str:
    """The id of a new job."""
    job_id = f"{kind}-{len(owner.job_polls) + 1}"
    owner.job_polls[job_id] = 0
    return job_id


def poll(owner: JobBook, job_id: str) -> JobState:
    """How far a job is, looked at once more."""
    if job_id in owner.failing_jobs:
        return JobState.FAILED
    owner.job_polls[job_id] += 1
    return JobState.READY if owner.job_polls[job_id] >= owner.polls_until_ready else JobState.PENDING
