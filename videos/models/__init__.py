"""Rows of batches, items and the queue."""

from videos.models.batch import OPEN_STATUSES, Batch, BatchStatus
from videos.models.check_budget import CheckBudget
from videos.models.engine_credential import CredentialUse, EngineCredential
from videos.models.engine_rule import EngineRule
from videos.models.files import DeletionReason, FileDeletion, Installation, StoredBytes
from videos.models.item import FINAL_STATUSES, ItemStatus, VideoItem
from videos.models.queue import EngineLimit, EngineRecord, QueueLane, QueueState, Worker
from videos.models.remote_job import RemoteJob
from videos.models.share import Share
from videos.models.upload import Upload, UploadStatus

__all__ = [
    "FINAL_STATUSES",
    "OPEN_STATUSES",
    "Batch",
    "BatchStatus",
    "CheckBudget",
    "CredentialUse",
    "DeletionReason",
    "EngineCredential",
    "EngineLimit",
    "EngineRecord",
    "EngineRule",
    "FileDeletion",
    "Installation",
    "ItemStatus",
    "QueueLane",
    "QueueState",
    "RemoteJob",
    "Share",
    "StoredBytes",
    "Upload",
    "UploadStatus",
    "VideoItem",
    "Worker",
]
