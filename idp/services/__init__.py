"""What a page, an endpoint or an administrator may ask for, as functions. No HTTP, no page, no command."""
