//! The way to one server, step by step.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use securid_api::{Answered, Certificate, Failure, FailureKind, ProxyOnTheWay, SetupError, Survey};
use securid_ipc::checks::CheckView;

use crate::config::Instance;
use crate::servers::{Servers, Unusable};
use crate::trouble;

/// How long the way to a server may take at most, in all, however long an attempt may: then the next thing is told.
const AT_MOST: Duration = Duration::from_secs(10);

/// How many days before its end a certificate is to be renewed: two weeks, which most need for it.
const RENEW_BEFORE: i64 = 14;

/// From this difference on a clock is wrong: in seconds, beyond what requests take.
const CLOCK_IS_WRONG: u64 = 60;

/// From this one on it is told, in seconds: clocks that are looked after differ by less than one.
const CLOCK_IS_OFF: u64 = 5;

/// The steps, in order.
const STEPS: [Step; 5] = [Step::Dns, Step::Connection, Step::Tls, Step::Endpoint, Step::Clock];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Dns,
    Connection,
    Tls,
    Endpoint,
    Clock,
}

/// Goes the way, in the time that an attempt may take, and tells each step.
///
/// All looks share `servers`, and so what proxies say to a password: a wrong one is sent once.
pub(super) async fn look(
    servers: Arc<Servers>,
    instance: Arc<Instance>,
    attempt: Duration,
) -> Vec<CheckView> {
    let client = match servers.client(&instance.origin()).await {
        Ok(client) => client,
        Err(error) => return vec![unusable(&instance, &error)],
    };
    let survey = client.survey(attempt.min(AT_MOST)).await;
    let look = Look { instance: &instance, survey: &survey, now: Timestamp::now() };
    look.told()
}

/// What keeps everything from being tried.
fn unusable(instance: &Instance, error: &Unusable) -> CheckView {
    let check = match error {
        Unusable::Setup(SetupError::Proxy(_)) => "proxy",
        _ => "tls",
    };
    let hint = trouble::server(error).data.hint.unwrap_or_default();
    CheckView::wrong(check, &instance.name, error.to_string()).then(hint)
}

/// A survey on its way to a person.
struct Look<'a> {
    instance: &'a Instance,
    survey: &'a Survey,
    now: Timestamp,
}

impl Look<'_> {
    fn told(&self) -> Vec<CheckView> {
        let failed = self.survey.failure.as_ref().map(|failure| (self.step_of(failure), failure));
        let mut checks = Vec::new();
        for step in STEPS {
            match failed {
                Some((at, failure)) if at == step => {
                    let name = self.name(step);
                    let advice = advice(self.kind(failure), self.instance);
                    checks.push(
                        CheckView::wrong(name, &self.instance.name, failure.to_string())
                            .then(advice),
                    );
                }
                // The server's clock is in any answer.
                Some((at, _))
                    if at < step && (step != Step::Clock || self.survey.answered.is_none()) =>
                {
                    let message = format!("because {} comes first", self.name(at));
                    checks.push(self.unknown(self.name(step), message));
                }
                _ => checks.extend(self.reached(step)),
            }
        }
        if let Some(ours) = &self.survey.ours {
            checks.push(self.of_certificate("client-certificate", ours, CLIENT_ENDS));
        }
        checks
    }

    /// A step that was taken.
    fn reached(&self, step: Step) -> Vec<CheckView> {
        let survey = self.survey;
        match step {
            Step::Dns => {
                let addresses: Vec<_> =
                    survey.addresses.iter().map(|at| at.ip().to_string()).collect();
                let whose = if survey.proxy.is_some() { "the proxy" } else { "the server" };
                vec![self.fine("dns", format!("{whose} is {}", addresses.join(", ")))]
            }
            Step::Connection => {
                let at = survey.connected.map(|at| at.to_string()).unwrap_or_default();
                vec![match &survey.proxy {
                    None => self.fine("tcp", format!("{at} takes connections (no proxy)")),
                    Some(ProxyOnTheWay { shown, password: None }) => {
                        self.fine("proxy", format!("{shown} opens the way to the server"))
                    }
                    Some(ProxyOnTheWay { shown, password: Some(place) }) => {
                        let message = format!(
                            "{shown} takes the user name and password in {place}, and opens the way"
                        );
                        self.fine("proxy", message)
                    }
                }]
            }
            Step::Tls => self.secured(),
            Step::Endpoint => {
                let status = survey.answered.map(|answer| answer.status).unwrap_or_default();
                let url = self.instance.endpoint.url();
                vec![self.fine("endpoint", format!("{url} answers (HTTP {status})"))]
            }
            Step::Clock => {
                survey.answered.map(|answer| self.of_clock(answer)).into_iter().collect()
            }
        }
    }

    fn secured(&self) -> Vec<CheckView> {
        let Some(secured) = &self.survey.secured else {
            return vec![self.fine("tls", "none: this machine itself is spoken to in the clear")];
        };
        let seen = if secured.has_seen_ours { ", and has seen our certificate" } else { "" };
        let host = self.instance.endpoint.origin();
        let message = format!("{}, and the certificate is for {host}{seen}", secured.version);
        let certificate =
            secured.certificate.as_ref().map(|it| self.of_certificate("certificate", it, ENDS));
        [self.fine("tls", message)].into_iter().chain(certificate).collect()
    }

    fn of_certificate(&self, check: &str, certificate: &Certificate, advice: &str) -> CheckView {
        let Certificate { subject, issuer, root, ends } = certificate;
        let days = ends.duration_since(self.now).as_hours().div_euclid(24);
        let root = if root == issuer { String::new() } else { format!(" (root \"{root}\")") };
        let until = ends.strftime("%Y-%m-%d");
        let message = format!("\"{subject}\" of \"{issuer}\"{root}");
        let wrong = |when: String| {
            CheckView::wrong(check, &self.instance.name, format!("{message} {when}")).then(advice)
        };
        match days {
            ..0 => wrong(format!("has ended on {until}")),
            0..RENEW_BEFORE => wrong(format!("ends on {until}, in {days} days")),
            _ => self.fine(check, format!("{message} ends on {until}, in {days} days")),
        }
    }

    fn of_clock(&self, Answered { ahead, .. }: Answered) -> CheckView {
        let Some(ahead) = ahead else {
            return self.fine("clock", "the server does not say what time it is");
        };
        let off = ahead.abs();
        let by = format!("{:#}", SignedDuration::from_secs(off.as_secs()));
        let way = if ahead.is_negative() { "behind" } else { "ahead of" };
        let message = format!("the server's clock is {by} {way} this machine's");
        match off.unsigned_abs().as_secs() {
            CLOCK_IS_WRONG.. => CheckView::wrong("clock", &self.instance.name, message).then(
                "timedatectl shows whether this machine's clock is looked after; if it is, tell those who run \
                 the server.",
            ),
            CLOCK_IS_OFF.. => self.fine("clock", message),
            _ => self.fine("clock", "the server's clock agrees with this machine's"),
        }
    }

    /// Whose fault it is: where a proxy is on the way, it is the proxy's name that has no address.
    fn kind(&self, failure: &Failure) -> FailureKind {
        match failure.kind {
            FailureKind::Resolve if self.survey.proxy.is_some() => FailureKind::Proxy,
            kind => kind,
        }
    }

    /// The step that a failure belongs to.
    fn step_of(&self, failure: &Failure) -> Step {
        match failure.kind {
            FailureKind::Resolve => Step::Dns,
            FailureKind::Connect | FailureKind::Proxy => Step::Connection,
            FailureKind::Tls => Step::Tls,
            _ if self.survey.connected.is_none() => Step::Connection,
            _ if self.survey.secured.is_none()
                && self.instance.endpoint.url().starts_with("https:") =>
            {
                Step::Tls
            }
            _ => Step::Endpoint,
        }
    }

    fn name(&self, step: Step) -> &'static str {
        match step {
            Step::Dns => "dns",
            Step::Connection if self.survey.proxy.is_some() => "proxy",
            Step::Connection => "tcp",
            Step::Tls => "tls",
            Step::Endpoint => "endpoint",
            Step::Clock => "clock",
        }
    }

    fn fine(&self, check: &str, message: impl Into<String>) -> CheckView {
        CheckView::fine(check, &self.instance.name, message)
    }

    fn unknown(&self, check: &str, message: impl Into<String>) -> CheckView {
        CheckView::unknown(check, &self.instance.name, message)
    }
}

const ENDS: &str =
    "Tell those who run the server: once it has ended, nobody can log in or out there.";
const CLIENT_ENDS: &str = "Have a new one made, and put it and its key in the place of client_cert and client_key: they count at once.";

/// What to do about a way that breaks off.
fn advice(kind: FailureKind, instance: &Instance) -> String {
    let origin = instance.endpoint.origin();
    let authority = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    let table = format!("[instances.{}]", instance.name);
    match kind {
        FailureKind::Resolve => format!(
            "getent hosts {host} asks the same; mend url in {table}, or bring up the network or VPN that knows it."
        ),
        FailureKind::Connect => {
            format!(
                "Mend host and port of url in {table}, or bring up the network or VPN that leads there."
            )
        }
        FailureKind::Proxy => format!(
            "Mend proxy, no_proxy or proxy_credentials_file for {table}, or HTTPS_PROXY and NO_PROXY where the \
             daemon is started; then securid-ctl retry."
        ),
        FailureKind::Tls => format!(
            "openssl s_client -connect {authority} -showcerts shows what it presents; mend ca_file, client_cert or \
             url in {table}, or this machine's clock."
        ),
        FailureKind::Timeout | FailureKind::Cut | FailureKind::Throttled => {
            "securid-ctl doctor again in a while; if it stays so, tell those who run the server."
                .to_owned()
        }
        FailureKind::NotConfirmed => format!(
            "Mend url in {table}; or have web services switched on at the server, for this machine's address."
        ),
    }
}
