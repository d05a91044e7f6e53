"""What Prometheus is told of credits."""

from prometheus_client import Counter

CHARGED = Counter("zhiying_credits_charged", "Credits that renders were charged for.")
REFUNDED = Counter("zhiying_credits_refunded", "Credits given back for renders that gave no video.")
