"""People who can sign in. Rights in a project come from `Member`, never from the account."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models

from annotator.core.ids import new_id


def account_id() -> str:
    """A random public id."""
    return new_id("u")


def token_id() -> str:
    """A random public id."""
    return new_id("tk")


class AccountManager(BaseUserManager["Account"]):
    """Makes accounts; the password is hashed here and nowhere else."""

    def create_user(self, username: str, password: str | None = None, **fields: Any) -> Account:
        """Store one account; without a password nobody can sign in with it."""
        account = self.model(username=self.model.normalize_username(username), **fields)
        account.set_password(password)
        account.save(using=self._db)
        return account


class Account(AbstractBaseUser):
    """One person's (or one importing program's) sign-in.

    `is_operator` is a right on the site, not on content: an operator sees a project's content
    only as its member. `same_person_as` names the person's first account when a second is known:
    blindness counts both as one.
    """

    public_id = models.CharField(max_length=32, unique=True, default=account_id)
    username = models.CharField(max_length=150, unique=True)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True)
    is_operator = models.BooleanField(default=False)
    same_person_as = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="second_accounts"
    )
    language = models.CharField(max_length=8, default="", blank=True)
    theme = models.CharField(max_length=8, default="", blank=True)
    keys = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AccountManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: list[str] = []

    def __str__(self) -> str:
        return self.username

    @property
    def person_id(self) -> int:
        """The row id that stands for the person behind this account."""
        return self.same_person_as_id or self.pk

    @property
    def shown_name(self) -> str:
        """What colleagues read where names are shown."""
        return self.name or self.username


class Invitation(models.Model):
    """A single-use link into a project (or for a password reset); only a digest of it is stored."""

    digest = models.CharField(max_length=64, unique=True)
    project = models.ForeignKey("annotator.Project", null=True, on_delete=models.CASCADE)
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="resets")
    roles = models.JSONField(default=list)
    made_by = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invitations_made")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(Account, null=True, on_delete=models.PROTECT, related_name="invitations_used")


class TokenName(models.Model):
    """What its owner calls an API token; the token itself is known by its digest only."""

    token = models.OneToOneField(
        "knox.AuthToken", on_delete=models.CASCADE, primary_key=True, related_name="naming"
    )
    public_id = models.CharField(max_length=32, unique=True, default=token_id)
    label = models.CharField(max_length=100)
