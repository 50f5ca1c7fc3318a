-- /etc/prosody/conf.d/transom.cfg.lua, for Prosody 0.12 and newer. The secrets are those of transom.toml.
-- Components without an address speak to 127.0.0.1:5347, Prosody's default; transom's as well.

Component "sms.example.org"
  component_secret = "change me"
  -- A connection that lingers after a crash does not keep transom out.
  component_conflict_resolve = "kick_old"

Component "mail.example.org"
  component_secret = "change me too"
  component_conflict_resolve = "kick_old"
