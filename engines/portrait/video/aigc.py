"""The implicit label: the `AIGC` element in the file's metadata.

GB 45438-2025, appendix on file metadata: an element named AIGC whose value is a JSON object with the
fields below. `Label` "1" states that the content is AI-generated. The producer fills in the first half;
the second half belongs to whoever spreads the file.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

METADATA_KEY = "AIGC"
IS_GENERATED = "1"
DEFAULT_PRODUCER = "ZhiYing"
ID_LENGTH = 32


def aigc_metadata(options: Mapping[str, str], portrait: Path, sound_key: str, seed: int) -> dict[str, str]:
    """Metadata tags for a video.

    Options `aigc_producer` and `aigc_produce_id` name the service and the work; without the latter the
    work is identified by what it was made from.
    """
    value = {
        "Label": IS_GENERATED,
        "ContentProducer": options.get("aigc_producer", "").strip() or DEFAULT_PRODUCER,
        "ProduceID": options.get("aigc_produce_id", "").strip() or _work_id(portrait, sound_key, seed),
        "ReservedCode1": "",
        "ContentPropagator": options.get("aigc_propagator", "").strip(),
        "PropagateID": options.get("aigc_propagate_id", "").strip(),
        "ReservedCode2": "",
    }
    return {METADATA_KEY: json.dumps(value, ensure_ascii=False)}


def _work_id(portrait: Path, sound_key: str, seed: int) -> str:
    digest = hashlib.sha256(portrait.read_bytes())
    digest.update(f"\n{sound_key}\n{seed}".encode())
    return digest.hexdigest()[:ID_LENGTH]
