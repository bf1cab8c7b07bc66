"""What sign-in tells people: our words in place of Flask-Security's, so that our catalogue has them."""

from __future__ import annotations

from builder.errors import N_

MESSAGES: dict[str, tuple[str, str]] = {
    "UNAUTHENTICATED": (N_("Sign in to continue."), "info"),
    "REAUTHENTICATION_REQUIRED": (N_("Enter your password again to continue."), "info"),
    "REAUTHENTICATION_SUCCESSFUL": (N_("Thank you. You can go on."), "success"),
    "ANONYMOUS_USER_REQUIRED": (N_("You are already signed in."), "info"),
    "GENERIC_AUTHN_FAILED": (N_("The e-mail address or the password is not right."), "error"),
    "GENERIC_RECOVERY": (
        N_("If we know this e-mail address, a message with the next step is on its way."),
        "info",
    ),
    "DISABLED_ACCOUNT": (N_("This sign-in has been switched off. Ask an admin."), "error"),
    "EMAIL_NOT_PROVIDED": (N_("Enter your e-mail address."), "error"),
    "INVALID_EMAIL_ADDRESS": (N_("This is not an e-mail address."), "error"),
    "USER_DOES_NOT_EXIST": (N_("The e-mail address or the password is not right."), "error"),
    "PASSWORD_NOT_PROVIDED": (N_("Enter your password."), "error"),
    "INVALID_PASSWORD": (N_("This is not your password."), "error"),
    "PASSWORD_INVALID_LENGTH": (N_("A password needs at least %(length)s characters."), "error"),
    "PASSWORD_IS_THE_SAME": (N_("The new password must differ from the old one."), "error"),
    "RETYPE_PASSWORD_MISMATCH": (N_("The two new passwords are not the same."), "error"),
    "PASSWORD_MISMATCH": (N_("The two passwords are not the same."), "error"),
    "PASSWORD_CHANGE": (N_("Your password has been changed."), "success"),
    "PASSWORD_RESET": (N_("Your password has been changed, and you are signed in."), "success"),
    "PASSWORD_RESET_NO_LOGIN": (N_("Your password has been changed. Sign in with it."), "success"),
    "PASSWORD_RESET_REQUEST": (
        N_("If we know this e-mail address, a message with the next step is on its way."),
        "info",
    ),
    "PASSWORD_RESET_EXPIRED": (N_("That link is older than %(within)s. Ask for a new one."), "error"),
    "INVALID_RESET_PASSWORD_TOKEN": (N_("That link is not valid. Ask for a new one."), "error"),
    "FORGOT_PASSWORD": (N_("Forgot your password?"), "info"),
    "INVALID_REDIRECT": (N_("That address leads away from here."), "error"),
    "INVALID_CODE": (N_("This code is not right, or it has run out."), "error"),
    "TWO_FACTOR_INVALID_TOKEN": (N_("This code is not right, or it has run out."), "error"),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (N_("You are signed in."), "success"),
    "TWO_FACTOR_CHANGE_METHOD_SUCCESSFUL": (N_("Two-step sign-in is on."), "success"),
    "TWO_FACTOR_PERMISSION_DENIED": (N_("Sign in with your password first."), "error"),
    "TWO_FACTOR_METHOD_NOT_AVAILABLE": (N_("Choose one of the ways offered."), "error"),
    "TWO_FACTOR_DISABLED": (N_("Two-step sign-in is off."), "success"),
    "TWO_FACTOR_SETUP_EXPIRED": (N_("That took longer than %(within)s. Start again."), "error"),
    "INVALID_RECOVERY_CODE": (N_("This recovery code is not right, or it was used before."), "error"),
    "NO_RECOVERY_CODES_SETUP": (N_("You have no recovery codes yet."), "info"),
    "INVALID_INPUT": (N_("This value cannot be used here."), "error"),
    "INVALID_INPUT_LENGTH": (N_("This value is too long."), "error"),
    "API_ERROR": (N_("This value cannot be used here."), "error"),
}
