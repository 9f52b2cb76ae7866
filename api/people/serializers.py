"""What the account API takes and gives."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.models import Operator, StaffMembership, Subscriber, User
from accounts.selectors import operators


class OperatorSerializer(serializers.ModelSerializer):
    class Meta:
        model = Operator
        fields = ("slug", "name", "description")


class OpenOperatorField(serializers.SlugRelatedField):
    """An operator that takes new accounts, by its slug."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="slug", **kwargs)
        self.error_messages["does_not_exist"] = gettext(
            "There is no operator {value} that takes new accounts. Choose one from /api/v1/operators/."
        )

    def get_queryset(self) -> Any:
        return operators.open_for_signup()


class SignupSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})
    operator = OpenOperatorField(queryset=Operator.objects.none())
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            validate_password(attrs["password"], user=User(email=attrs["email"], name=attrs["name"]))
        except ValidationError as error:
            raise serializers.ValidationError({"password": error.messages}) from None
        return attrs


class SignupAnswerSerializer(serializers.Serializer):
    detail = serializers.CharField()


class LoginSerializer(serializers.Serializer):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=128, trim_whitespace=False, style={"input_type": "password"})


class AccountSerializer(serializers.ModelSerializer):
    """A subscriber account of the caller."""

    operator = OperatorSerializer(read_only=True)

    class Meta:
        model = Subscriber
        fields = ("number", "operator", "state", "created_at")


class OpenAccountSerializer(serializers.Serializer):
    operator = OpenOperatorField(queryset=Operator.objects.none())


class RoleSerializer(serializers.ModelSerializer):
    """A staff role of the caller."""

    operator = OperatorSerializer(read_only=True)

    class Meta:
        model = StaffMembership
        fields = ("operator", "role")


class UserSerializer(serializers.ModelSerializer):
    class Meta:
        model = User
        fields = ("email", "name", "is_staff")


class MeSerializer(serializers.Serializer):
    user = UserSerializer()
    accounts = AccountSerializer(many=True)
    roles = RoleSerializer(many=True)


class TokenSerializer(serializers.Serializer):
    token = serializers.CharField(help_text=_("Send it as `Authorization: Token <token>`. Shown once."))
    expiry = serializers.DateTimeField(allow_null=True)
    user = UserSerializer()
