"""For the gateway alone: whose API key this is."""

from knox.auth import TokenAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Authenticate(APIView):
    """`GET /internal/authenticate/` with the caller's Authorization header → 200 `{"user_id"}`, or 401."""

    authentication_classes = [TokenAuthentication]
    permission_classes = [IsAuthenticated]

    def get(self, request: Request) -> Response:
        return Response({"user_id": request.user.pk})
