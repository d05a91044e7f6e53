"""The bucket itself: made where it is missing, and opened to the pages that send files straight to it."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from django.conf import settings

from videos.store.backends import bucket
from videos.store.keys import UPLOADS

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CORSRuleTypeDef, LifecycleRuleTypeDef

PREFLIGHT_S = 3600
ABORT_AFTER_DAYS = 2
_MISSING = {"404", "NoSuchBucket", "NotFound"}


def page_origins() -> list[str]:
    """Origins whose pages show media and send files: our own and those that may call the API."""
    return list(dict.fromkeys(filter(None, [settings.PUBLIC_URL, *settings.CORS_ALLOWED_ORIGINS])))


def prepare_bucket() -> list[str]:
    """Make the bucket if there is none, set its CORS rule and let it drop unfinished uploads.

    Returns what was done, in sentences. The bucket's other lifecycle rules stay; its CORS rules are ours.
    """
    store = bucket()
    done = [_make(store.client, store.name), _allow(store.client, store.name, page_origins())]
    done.append(_drop_unfinished(store.client, store.name, store.name_of(f"{UPLOADS}/")))
    return [sentence for sentence in done if sentence]


def _make(client: "S3Client", bucket: str) -> str:
    try:
        client.head_bucket(Bucket=bucket)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        region = settings.S3_REGION
        if region and region != "us-east-1":  # which is the one region that must not be named
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
        else:
            client.create_bucket(Bucket=bucket)
        return f"Made the bucket {bucket}."
    return ""


def _allow(client: "S3Client", bucket: str, origins: list[str]) -> str:
    if not origins:
        return "Set PUBLIC_URL first: without it no page may send files to the bucket."
    rule: CORSRuleTypeDef = {
        "AllowedMethods": ["GET", "HEAD", "PUT"],
        "AllowedOrigins": origins,
        "AllowedHeaders": ["content-type"],
        "MaxAgeSeconds": PREFLIGHT_S,
    }
    client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    return f"Pages of {', '.join(origins)} may send files to the bucket and read them."


def _drop_unfinished(client: "S3Client", bucket: str, prefix: str) -> str:
    """The cleaning does the same while workers live; this also holds when they do not."""
    name = f"zhiying-unfinished-{prefix}"
    try:
        rules = client.get_bucket_lifecycle_configuration(Bucket=bucket).get("Rules", [])
    except ClientError:  # no configuration yet, or a server that has none
        rules = []
    kept: list[Any] = [rule for rule in rules if rule.get("ID") != name]
    ours: LifecycleRuleTypeDef = {
        "ID": name,
        "Status": "Enabled",
        "Filter": {"Prefix": prefix},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": ABORT_AFTER_DAYS},
    }
    try:
        client.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": [*kept, ours]}
        )
    except ClientError as error:
        return (
            f"The store has no lifecycle rules ({error.response['Error']['Code']}); the hourly cleaning does."
        )
    return f"Unfinished uploads below {prefix} are dropped after {ABORT_AFTER_DAYS} days."
