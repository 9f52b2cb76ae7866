"""Sign up, sign in, sign out, who am I."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from knox.auth import TokenAuthentication
from knox.settings import knox_settings
from rest_framework.generics import ListAPIView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import confirmation
from accounts.models import Operator, StaffMembership, User
from accounts.selectors import operators
from accounts.selectors import subscribers as accounts_of
from accounts.services import signup, subscribers, tokens
from api.people import serializers
from api.problems import Problem, ProblemSerializer

SIGNED_UP = _("Almost done: open the link in the e-mail that was sent to this address.")


class OperatorList(ListAPIView):
    """The operators that take new accounts; open to everybody."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = serializers.OperatorSerializer

    def get_queryset(self) -> QuerySet[Operator]:
        return operators.open_for_signup()


class Signup(APIView):
    """Opens an account with an operator. The answer is the same whether or not the address is known."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "signup"

    @extend_schema(
        request=serializers.SignupSerializer,
        responses={202: serializers.SignupAnswerSerializer, 400: ProblemSerializer, 429: ProblemSerializer},
    )
    def post(self, request: Request) -> Response:
        serializer = serializers.SignupSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = signup.register(**serializer.validated_data)
        confirmation.start(request._request, user=user, email=serializer.validated_data["email"])
        return Response({"detail": SIGNED_UP}, status=202)


class Login(APIView):
    """Gives a token for an e-mail address and its password."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_scope = "login"

    @extend_schema(
        request=serializers.LoginSerializer,
        responses={
            200: serializers.TokenSerializer,
            400: ProblemSerializer,
            401: ProblemSerializer,
            403: ProblemSerializer,
            429: ProblemSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        serializer = serializers.LoginSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        user = self._authenticate(request, **serializer.validated_data)
        if not confirmation.is_done(user):
            confirmation.remind(request._request, user=user)
            raise Problem(
                "EMAIL_UNCONFIRMED",
                gettext("Open the link in the e-mail we sent you, then sign in again."),
                status=403,
            )
        instance, token = tokens.issue(user=user, lifetime=knox_settings.TOKEN_TTL)
        user_logged_in.send(sender=type(user), request=request._request, user=user)
        answer = {"token": token, "expiry": instance.expiry, "user": user}
        return Response(serializers.TokenSerializer(answer).data)

    @staticmethod
    def _authenticate(request: Request, *, email: str, password: str) -> User:
        try:
            user = get_adapter(request._request).authenticate(
                request._request, email=email, password=password
            )
        except ValidationError:
            raise Problem(
                "THROTTLED",
                gettext("There were too many wrong passwords. Wait five minutes and try again."),
                status=429,
            ) from None
        if user is None or not user.is_active:
            raise Problem(
                "CREDENTIALS_WRONG",
                gettext("The e-mail address or the password is wrong. Check both."),
                status=401,
            )
        return user


class Logout(APIView):
    """Ends the token that the request carries."""

    authentication_classes = (TokenAuthentication,)

    @extend_schema(request=None, responses={204: OpenApiResponse(description=_("Signed out."))})
    def post(self, request: Request) -> Response:
        tokens.end(token=request.auth)
        user_logged_out.send(sender=type(request.user), request=request._request, user=request.user)
        return Response(status=204)


class LogoutAll(APIView):
    """Ends all tokens of the caller."""

    authentication_classes = (TokenAuthentication,)

    @extend_schema(request=None, responses={204: OpenApiResponse(description=_("Signed out everywhere."))})
    def post(self, request: Request) -> Response:
        tokens.end_all(user=request.user)
        user_logged_out.send(sender=type(request.user), request=request._request, user=request.user)
        return Response(status=204)


class Me(APIView):
    """The caller, their accounts and their roles."""

    @extend_schema(responses=serializers.MeSerializer)
    def get(self, request: Request) -> Response:
        me = {
            "user": request.user,
            "accounts": accounts_of.of_user(request.user),
            "roles": StaffMembership.objects.filter(
                user=request.user, operator__is_active=True
            ).select_related("operator"),
        }
        return Response(serializers.MeSerializer(me).data)


class MyAccounts(APIView):
    """Opens a further account, with another operator."""

    @extend_schema(
        request=serializers.OpenAccountSerializer,
        responses={201: serializers.AccountSerializer, 400: ProblemSerializer, 409: ProblemSerializer},
    )
    def post(self, request: Request) -> Response:
        serializer = serializers.OpenAccountSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        account = subscribers.open_account(user=request.user, operator=serializer.validated_data["operator"])
        return Response(serializers.AccountSerializer(account).data, status=201)
