"""Who may load a solution of a marketplace: its owner, operators, and everybody when it stands in a public catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from shared.principal import ANONYMOUS, Principal

if TYPE_CHECKING:  # reading the settings needs `Access` alone, and no HTTP client
    from shared.persistence.cds import CdsSolution, CdsUser

Access = Literal["check", "portal"]
"""`check`: CDS is asked whose the solution is. `portal`: the caller was let through by a portal that has done so already;
a visitor without a token was not."""


def is_decided(principal: Principal, solution: CdsSolution, access: Access) -> bool:
    """Answer whether the principal may load the solution by what is known without asking more."""
    if principal.is_operator:
        return True
    if access == "portal" and principal != ANONYMOUS:
        return True
    return bool(principal.user_id) and principal.user_id == solution.user_id


def may_own(principal: Principal, solution: CdsSolution) -> bool:
    """Answer whether it is worth asking for the owner: only an e-mail address can be theirs."""
    return bool(solution.user_id) and "@" in principal.id


def is_owner(principal: Principal, user: CdsUser | None) -> bool:
    """Compare the e-mail addresses. Only ASCII letters are equal in either case: others fold into foreign ones."""
    email = (user.email if user else None) or ""
    if not (email.isascii() and principal.id.isascii()):
        return email == principal.id
    return email.lower() == principal.id.lower()
