"""OAuth 2 and OpenID Connect. It meets people only through idp.interaction and never renders a page."""
