"""Where webhooks lead, as the operator's file says, now."""

from services.alerting.endpoints.file import Endpoint, load_endpoints
from services.alerting.endpoints.watch import EndpointWatch

__all__ = ["Endpoint", "EndpointWatch", "load_endpoints"]
