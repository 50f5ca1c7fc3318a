-- The demo's Prosody: one user, their upload service, two components, loopback alone.
pidfile = "@lab@/prosody/prosody.pid"
data_path = "@lab@/prosody/data"
certificates = "@lab@/prosody/certs"
interfaces = { "127.0.0.1" }
local_interfaces = { "127.0.0.1" }
c2s_ports = { @client_port@ }
s2s_ports = { }
component_ports = { @component_port@ }
http_ports = { @upload_port@ }
http_interfaces = { "127.0.0.1" }
http_external_url = "http://127.0.0.1:@upload_port@/"
http_default_host = "upload.@domain@"
https_ports = { }
modules_enabled = {
  "disco"; "roster"; "saslauth"; "tls"; "blocklist"; "carbons"; "mam"; "pep"; "private"; "smacks"; "vcard4"; "vcard_legacy";
  "ping"; "time"; "uptime"; "version";
}
modules_disabled = { "s2s" }
allow_registration = false
-- Loopback: whoever can read it could read everything else as well.
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_hashed"
storage = "internal"
log = { { levels = { min = "info" }, to = "console", timestamps = true } }

VirtualHost "@domain@"

Component "upload.@domain@" "http_file_share"

Component "sms.@domain@"
  component_secret = "demo-secret"

Component "mail.@domain@"
  component_secret = "demo-secret"
