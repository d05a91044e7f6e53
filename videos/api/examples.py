"""Examples shown with the schema."""

from drf_spectacular.utils import OpenApiExample

_BATCH = "b0a1c2d3-0000-4000-8000-000000000001"

EXAMPLE_OF_KEYS = OpenApiExample(
    "Two uploads and a recording of an earlier batch",
    {
        "images": ["0c9d4d8e-0000-4000-8000-000000000002", "5f0e2c11-0000-4000-8000-000000000003"],
        "audio": f"batch:{_BATCH}",
        "prompt": "smiling",
        "name": "Spring sale",
    },
    request_only=True,
    media_type="application/json",
)
EXAMPLE_OF_CREATED = OpenApiExample(
    "Created",
    {
        "batch_id": _BATCH,
        "name": "Spring sale",
        "image_count": 2,
        "price_per_image": 1,
        "credits_used": 2,
        "credits": 98,
    },
    response_only=True,
    status_codes=["201"],
)
