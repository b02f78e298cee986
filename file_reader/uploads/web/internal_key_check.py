"""For the gateway alone: whose API key this is."""

from typing import Any

from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class KeyAuthentication(TokenAuthentication):  # type: ignore[misc]
    """knox's, for which a key that is not even text is one more that is not known."""

    def authenticate_credentials(self, token: bytes) -> Any:
        try:
            return super().authenticate_credentials(token)
        except UnicodeDecodeError:
            raise AuthenticationFailed("Invalid token.") from None


class Authenticate(APIView):
    """`GET /internal/authenticate/` with the caller's Authorization header → 200 `{"user_id"}`, or 401."""

    authentication_classes = [KeyAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response({"user_id": request.user.pk})
