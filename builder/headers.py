"""Security headers of every answer. No page holds an inline script or style, so neither is allowed."""

from __future__ import annotations

from flask import Flask, Response, request

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

STATIC_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
}

_PAGE_HEADERS = {
    **STATIC_HEADERS,
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Frame-Options": "DENY",
}


def secure_headers(app: Flask, *, https: bool) -> None:
    """Add the headers to every answer; `https` adds HSTS. A route may set its own Cache-Control."""

    @app.after_request
    def add(response: Response) -> Response:
        for name, value in _PAGE_HEADERS.items():
            response.headers.setdefault(name, value)
        if https:
            response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
        # What a signed-in person sees must not stay in a shared cache, nor behind the Back button after
        # sign-out; a page and its htmx fragment share an address.
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store" if request.method == "GET" else "no-cache"
        response.vary.add("HX-Request")
        return response
