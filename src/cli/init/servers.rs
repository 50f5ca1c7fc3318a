//! The lines that other servers need: Prosody, ejabberd, Postfix, the provider.

use std::path::Path;

use secrecy::ExposeSecret;

use super::{
    Plan,
    template::{FIRST_PORT, mail_port},
};
use crate::cli::{ProviderKind, XmppServer};

/// What to do after the configuration was written.
pub(super) fn next_steps(plan: &Plan, file: &Path) -> String {
    let file = file.display();
    let server = match plan.server {
        XmppServer::Prosody => prosody(plan),
        XmppServer::Ejabberd => ejabberd(plan),
    };
    let written = format!(
        "\n{file} is written. It holds secrets: let nobody read it but the user that transom runs as, for example\n\n{}\n",
        indented(&format!("chown root:transom {file}"))
    );
    let last = format!(
        "Then restart these servers, and\n\n{}",
        indented(&format!(
            "transom --config {file} check --live\ntransom --config {file} run"
        ))
    );
    [written, server, provider(plan), postfix(plan), last].concat()
}

/// A component as the XMPP server has to know it.
struct Component<'a> {
    domain: &'a str,
    secret: &'a str,
    port: u16,
}

fn components(plan: &Plan) -> Vec<Component<'_>> {
    let sms = plan.sms.iter().map(|sms| Component {
        domain: &sms.domain,
        secret: sms.secret.expose_secret(),
        port: FIRST_PORT,
    });
    let mail = plan.mail.iter().map(|mail| Component {
        domain: &mail.domain,
        secret: mail.secret.expose_secret(),
        port: mail_port(plan),
    });
    sms.chain(mail).collect()
}

fn prosody(plan: &Plan) -> String {
    let hosts = lines_of(plan, |Component { domain, secret, .. }| {
        format!(
            r#"Component "{domain}"
  component_secret = "{secret}"
"#
        )
    });
    [
        "Add at the end of /etc/prosody/prosody.cfg.lua (with --server ejabberd, init prints the lines for ejabberd):\n\n",
        &indented(&hosts),
        "\n",
    ]
    .concat()
}

fn ejabberd(plan: &Plan) -> String {
    // With its default, true, ejabberd gives each component the stanzas of every host of the listener.
    let listeners = lines_of(
        plan,
        |Component {
             domain,
             secret,
             port,
         }| {
            format!(
                r#"-
  port: {port}
  ip: "127.0.0.1"
  module: ejabberd_service
  access: all
  global_routes: false
  hosts:
    "{domain}":
      password: "{secret}""#
            )
        },
    );
    [
        "Add to the list under listen: in /etc/ejabberd/ejabberd.yml, a listener for each component:\n\n",
        &indented(&listeners),
        "\n",
    ]
    .concat()
}

fn provider(plan: &Plan) -> String {
    let Some(sms) = &plan.sms else {
        return String::new();
    };
    let public_url = plan.public_url.as_deref();
    let public_url = public_url
        .unwrap_or("https://gw.example.org")
        .trim_end_matches('/');
    let (sentence, url) = match sms.provider {
        ProviderKind::Simulator => (
            "The simulated phones, once transom runs:",
            "http://127.0.0.1:8480/simulator/".to_owned(),
        ),
        ProviderKind::Kannel => (
            "Fill in the credentials of Kannel's sendsms-user. The URL for the get-url of its sms-service begins with:",
            format!(
                "http://127.0.0.1:8480/webhook/sms/main/{}",
                sms.webhook_token.expose_secret()
            ),
        ),
        ProviderKind::Twilio => (
            "Fill in the SID and the token of the Twilio account, and set the messaging webhook of each number to:",
            format!("{public_url}/webhook/sms/main"),
        ),
    };
    format!("{sentence}\n\n{}\n", indented(&url))
}

fn postfix(plan: &Plan) -> String {
    let Some(mail) = &plan.mail else {
        return String::new();
    };
    // reject_unverified_recipient: Postfix asks our LMTP before it takes a mail, so that it never has to bounce one.
    let options = format!(
        "relay_domains = {domain}
transport_maps = inline:{{ {{ {domain} = lmtp:inet:127.0.0.1:2424 }} }}
smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, reject_unverified_recipient
unverified_recipient_reject_code = 550",
        domain = mail.domain
    );
    format!(
        "For Postfix, add to /etc/postfix/main.cf, to what these options say already:\n\n{}\n",
        indented(&options)
    )
}

fn lines_of(plan: &Plan, line: impl Fn(Component<'_>) -> String) -> String {
    let lines: Vec<String> = components(plan).into_iter().map(line).collect();
    lines.join("\n")
}

/// The lines, each four columns to the right, and a line end.
fn indented(text: &str) -> String {
    let lines: Vec<String> = text
        .lines()
        .map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("    {line}\n"),
        })
        .collect();
    lines.concat()
}
