"""ApiVersions, 0 to 4: which requests are served, in which versions.

A version that is not served is answered in version 0 with UNSUPPORTED_VERSION and the versions of
ApiVersions alone, so that the client can ask again (KIP-511).  From version 3 on the client tells
what software it is; names that are not names are INVALID_REQUEST.  There are no features to agree
on (KIP-584): both lists are empty.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kproof_impl.messages.api_versions import ApiVersion, ApiVersionsRequest, ApiVersionsResponse
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.wire.apis import API_VERSIONS, APIS, Api

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.calls import Call

_SOFTWARE = re.compile(r"[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?")


def api_versions(_broker: Broker, call: Call, request: ApiVersionsRequest) -> ApiVersionsResponse:
    if request.is_version_unsupported:
        own = [_told(APIS[API_VERSIONS])]
        return ApiVersionsResponse(error_code=ErrorCode.UNSUPPORTED_VERSION, api_keys=own)
    if call.api_version >= 3 and not (
        _SOFTWARE.fullmatch(request.client_software_name)
        and _SOFTWARE.fullmatch(request.client_software_version)
    ):
        return ApiVersionsResponse(error_code=ErrorCode.INVALID_REQUEST)
    return ApiVersionsResponse(
        api_keys=[_told(api) for api in APIS.values()], finalized_features_epoch=0
    )


def _told(api: Api) -> ApiVersion:
    return ApiVersion(api.key, api.min_advertised, api.max_version)
