"""The provider's config.toml for one machine: everything embedded, mail and phones to the outside world."""

from __future__ import annotations

from .layout import Layout


def config_toml(layout: Layout) -> str:
    """The file. Limits per address are wide, because here everybody comes from the same one."""
    return f"""\
# Written by `make demo` at every start: change it there.
[server]
issuer = "{layout.url("idp")}"
listen = "{layout.listen("idp")}"
operations_listen = "{layout.listen("operations")}"
threads = 4

[service]
name = "Alumniportalen"
provider_name = "Alumni ID"

[database]
url = "sqlite:///idp.sqlite"

[shortlived]
url = "sqlite:///shortlived.sqlite"

[secrets]
directory = "keys"

[passwords]  # the floor of what is allowed: this machine hashes beside everything else
argon2_memory_kib = 19456
argon2_passes = 2

[limits]
sends_per_address_hour = 10000
sends_per_destination_hour = 1000
sends_per_destination_day = 1000
sends_per_network_hour = 10000
sends_per_prefix_hour = 10000
sms_per_day = 100000
password_failures_per_address = 10000
password_failures_per_network = 10000
journeys_per_address_hour = 100000
sign_up_seconds = 0

[mail]
host = "127.0.0.1"
port = {layout.port("mail")}
security = "none"
sender = "no-reply@login.example.com"

[sms]
url = "http://127.0.0.1:{layout.port("outside_world")}/gateway"

[voice]
url = "http://127.0.0.1:{layout.port("outside_world")}/gateway"

[eid.norwegian-bankid]
connector = "norwegian_bankid"
issuer = "{layout.url("norwegian_bankid")}/auth/realms/current"
client_id = "alumni-id"
client_authentication = "client_secret_basic"
client_secret_file = "eid-secret"

[eid.swedish-bankid]
connector = "swedish_bankid"
url = "https://127.0.0.1:{layout.port("swedish_bankid")}/rp/v6.0/"
server_root_file = "outside/eid/swedish-bankid/server-root.pem"
client_file = "outside/eid/swedish-bankid/client.pem"
person_roots_file = "outside/eid/swedish-bankid/person-roots.pem"
certificate_policies = ["1.2.3.4.25", "1.2.3.4.5"]
app_address = "{layout.url("outside_world")}/eid/open"

[eid.smart-id]
connector = "smart_id"
url = "https://127.0.0.1:{layout.port("smart_id")}/v3/"
scheme_name = "smart-id-demo"
relying_party_uuid = "00000000-0000-4000-8000-000000000000"
relying_party_name = "DEMO"
api_roots_file = "outside/eid/smart-id/api-roots.pem"
person_roots_file = "outside/eid/smart-id/person-roots.pem"
person_authorities_file = "outside/eid/smart-id/person-authorities.pem"

[eid.mitid]
connector = "oidc_broker"
label = "MitID"
issuer_name = "MitID"
country = "DK"
issuer = "{layout.url("broker")}"
client_id = "alumni-id"
client_authentication = "client_secret_basic"
client_secret_file = "eid-secret"
scope = "openid ssn"
acr_values = {{ substantial = "urn:grn:authn:dk:mitid:substantial", high = "urn:grn:authn:dk:mitid:high" }}
eid_claim = "identityscheme"
eid_values = ["dkmitid"]
level_claims = ["loA", "ial", "aal"]
levels = {{ SUBSTANTIAL = "substantial", HIGH = "high" }}
national_number = false
number_claim = "cprNumberIdentifier"
reference_claim = "uuid"
time_claim = "authenticationinstant"
"""
