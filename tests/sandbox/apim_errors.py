"""APIM's answers that are no success."""
from __future__ import annotations

from typing import Any


class ApimError(Exception):
    """An answer that is no success, in APIM's form. code None leaves technicalCode out, parameters None those."""

    def __init__(self, status: int, message: str, code: str | None = None, parameters: Any = None, details: Any = ()):
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"httpStatus": status, "message": message}
        if code:
            self.body["technicalCode"] = code
        if parameters is not None:
            self.body["parameters"] = parameters
        if details is not None:
            self.body["details"] = list(details)


def invalid(location: str, message: str = "must not be null") -> ApimError:
    detail = {"message": message, "invalidValue": {"present": True}, "location": location}
    return ApimError(400, "Validation error", None, {}, [detail])
