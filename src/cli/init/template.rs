//! The configuration that `init` writes.

use secrecy::ExposeSecret;

use super::{KEY_FILE, MailPlan, Plan, SmsPlan};
use crate::cli::{ProviderKind, XmppServer};

/// The commented configuration.
pub(super) fn configuration(plan: &Plan) -> String {
    let mut text = format!(
        "# Written by `transom init`. Every option there is: transom.example.toml. After a change: `transom check`.\n\
         \n\
         # Where the state is kept. Relative paths start at $STATE_DIRECTORY, else at the folder of this file.\n\
         [store]\n\
         url = \"sqlite://transom.db\"\n\
         # The keys that seal the passwords of users' mail accounts. Keep a copy apart from the database's.\n\
         key_file = \"{KEY_FILE}\"\n\
         \n\
         [xmpp]\n\
         # The XMPP server's port for components.\n\
         server = \"127.0.0.1:{FIRST_PORT}\"\n\
         # Who may use the gateways: domains, or bare JIDs.\n\
         allow = [{}]\n\
         # Who is told when something is wrong, and may use the admin commands.\n\
         admins = [{}]\n\
         \n\
         [http]\n\
         # Webhooks, files, health, metrics and the operator's page.\n\
         listen = \"127.0.0.1:8480\"\n\
         # The same as seen from outside, through a reverse proxy. Needed for webhooks and for links to files.\n\
         {}\n",
        quoted(&plan.domain),
        quoted(plan.admin.as_str()),
        match &plan.public_url {
            Some(url) => format!("public_url = {}", quoted(url)),
            None => "# public_url = \"https://gw.example.org\"".to_owned(),
        },
    );
    if let Some(sms) = &plan.sms {
        text.push_str(&sms_gateway(sms));
    }
    if let Some(mail) = &plan.mail {
        text.push_str(&mail_gateway(plan, mail));
    }
    text
}

/// The port of the first gateway's component.
pub(super) const FIRST_PORT: u16 = 5347;

/// The port of the mail gateway's component: ejabberd wants a listener for each.
pub(super) fn mail_port(plan: &Plan) -> u16 {
    match plan.server {
        XmppServer::Ejabberd if plan.sms.is_some() => FIRST_PORT + 1,
        _ => FIRST_PORT,
    }
}

fn sms_gateway(sms: &SmsPlan) -> String {
    let gateway = format!(
        "\n# Text messages: +12025550147 is the contact +12025550147@{domain}.\n\
         [gateway.sms]\n\
         adapter = \"sms\"\n\
         domain = {quoted_domain}\n\
         # The component's secret, as the XMPP server has it.\n\
         secret = {secret}\n\
         # How numbers are read that are typed without a country code, and the only country that may be written to, unless\n\
         # allow_countries names others.\n\
         region = {region}\n\
         \n\
         [gateway.sms.provider.main]\n\
         {provider}",
        domain = sms.domain,
        quoted_domain = quoted(&sms.domain),
        secret = quoted(sms.secret.expose_secret()),
        region = quoted(&sms.region),
        provider = provider(sms),
    );
    let lines = sms.lines.iter().map(|number| {
        format!(
            "\n# Without owner, owners or shared a number is in the pool: whoever registers can claim it.\n\
             [[gateway.sms.line]]\n\
             number = {}\n\
             provider = \"main\"\n",
            quoted(number)
        )
    });
    std::iter::once(gateway).chain(lines).collect()
}

fn provider(sms: &SmsPlan) -> String {
    match sms.provider {
        ProviderKind::Simulator => "# Phones in the browser, at /simulator/ of the HTTP listener.\n\
             kind = \"simulator\"\n"
            .to_owned(),
        ProviderKind::Kannel => format!(
            "kind = \"kannel\"\n\
             # smsbox and one of its sendsms-users: fill in.\n\
             base_url = \"http://127.0.0.1:13013\"\n\
             username = \"transom\"\n\
             password = \"\"\n\
             # The last part of the webhook's path, since Kannel does not sign.\n\
             webhook_token = {}\n\
             # Where Kannel reaches us.\n\
             callback_url = \"http://127.0.0.1:8480\"\n",
            quoted(sms.webhook_token.expose_secret())
        ),
        ProviderKind::Twilio => "kind = \"twilio\"\n\
             # From the console of Twilio: fill in. Twilio also needs http.public_url, for its webhooks.\n\
             account_sid = \"\"\n\
             auth_token = \"\"\n"
            .to_owned(),
    }
}

fn mail_gateway(plan: &Plan, mail: &MailPlan) -> String {
    let port = mail_port(plan);
    let server = if port == FIRST_PORT {
        String::new()
    } else {
        format!("# ejabberd has a listener for each component.\nserver = \"127.0.0.1:{port}\"\n")
    };
    format!(
        "\n# Mail: bob@example.com is the contact bob\\40example.com@{domain}.\n\
         [gateway.mail]\n\
         adapter = \"email\"\n\
         domain = {quoted_domain}\n\
         # The component's secret, as the XMPP server has it.\n\
         secret = {secret}\n\
         {server}\
         # The domain of the users' mail addresses. Users of home are name@{domain}.\n\
         address_domain = {quoted_domain}\n\
         home = {home}\n\
         \n\
         # Where mail goes out.\n\
         [gateway.mail.smtp]\n\
         url = \"smtp://127.0.0.1:25?tls=none\"\n\
         \n\
         # Where the mail server hands mail over. Or a catch-all mailbox: see [gateway.mail.imap] in transom.example.toml.\n\
         [gateway.mail.lmtp]\n\
         listen = \"127.0.0.1:2424\"\n",
        domain = mail.domain,
        quoted_domain = quoted(&mail.domain),
        secret = quoted(mail.secret.expose_secret()),
        home = quoted(&plan.domain),
    )
}

/// A TOML string. JSON's escapes are among those of TOML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
