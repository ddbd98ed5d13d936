//! What the files say of proxies and of client certificates: keys that count together.

use std::path::PathBuf;

use securid_api::{ClientFiles, NO_PROXY, ProxySettings};
use toml::Spanned;

use super::Fault;
use super::file::Source;
use super::merge::{absolute, said};

/// What one table of one file says of proxies.
struct ProxyKeys<'a> {
    proxy: Option<&'a Spanned<String>>,
    no_proxy: Option<&'a Spanned<String>>,
    credentials_file: Option<&'a Spanned<PathBuf>>,
}

/// Those of an instance's table, or those at the top.
fn proxy_keys<'a>(source: &'a Source, instance: Option<&str>) -> Option<ProxyKeys<'a>> {
    macro_rules! of {
        ($table:expr) => {
            ProxyKeys {
                proxy: $table.proxy.as_ref(),
                no_proxy: $table.no_proxy.as_ref(),
                credentials_file: $table.proxy_credentials_file.as_ref(),
            }
        };
    }
    Some(match instance {
        Some(name) => {
            let table = source.says.instances.get(name)?;
            of!(table)
        }
        None => of!(source.says),
    })
}

/// What all files say of proxies at the top, or in an instance's table, where `top` is what they say there. A table
/// with a `proxy` of its own takes nothing from the top: what is there, a password perhaps, is for another proxy.
pub(super) fn proxy_settings(
    instance: Option<&str>,
    top: &ProxySettings,
    sources: &[Source],
    faults: &mut Vec<Fault>,
) -> ProxySettings {
    let key = |key: &str| match instance {
        Some(name) => format!("instances.{name}.{key}"),
        None => key.to_owned(),
    };
    for source in sources {
        let Some(keys) = proxy_keys(source, instance) else { continue };
        if keys.proxy.is_none_or(|proxy| proxy.get_ref() != NO_PROXY) {
            continue;
        }
        let problem =
            "is for a proxy, and proxy = \"none\" says that there is none: remove one of them";
        faults.extend(keys.no_proxy.map(|at| source.fault(at, &key("no_proxy"), problem)));
        let file = keys.credentials_file;
        faults.extend(file.map(|at| source.fault(at, &key("proxy_credentials_file"), problem)));
    }

    let proxy = said(sources, |s| proxy_keys(s, instance)?.proxy).map(|(source, url)| {
        match ProxySettings::check(url.get_ref()) {
            Ok(()) => url.get_ref().clone(),
            Err(wrong) => {
                faults.push(source.fault(url, &key("proxy"), format!("{wrong}, or \"none\"")));
                // It may have a password in it, so it is not kept; nothing goes around it, for this leads nowhere.
                String::new()
            }
        }
    });
    let no_proxy = said(sources, |s| proxy_keys(s, instance)?.no_proxy);
    let file = said(sources, |s| proxy_keys(s, instance)?.credentials_file);
    let own = ProxySettings {
        proxy,
        no_proxy: no_proxy.map(|(_, servers)| servers.get_ref().clone()),
        credentials_file: absolute(file, &key("proxy_credentials_file"), faults),
    };
    if own.proxy.is_some() {
        return own;
    }
    let top = top.clone();
    ProxySettings {
        proxy: top.proxy,
        no_proxy: own.no_proxy.or(top.no_proxy),
        credentials_file: own.credentials_file.or(top.credentials_file),
    }
}

/// The certificate that an instance's server wants to see, and its key: both or none.
pub(super) fn client_files(
    name: &str,
    sources: &[Source],
    faults: &mut Vec<Fault>,
) -> Option<ClientFiles> {
    let key = |key: &str| format!("instances.{name}.{key}");
    let cert = said(sources, |s| s.says.instances.get(name)?.client_cert.as_ref());
    let its_key = said(sources, |s| s.says.instances.get(name)?.client_key.as_ref());
    match (cert, its_key) {
        (Some((source, at)), None) => {
            let problem = "is of no use without its key: write client_key as well, the same file if it is in there";
            faults.push(source.fault(at, &key("client_cert"), problem));
        }
        (None, Some((source, at))) => {
            let problem = "is of no use without its certificate: write client_cert as well";
            faults.push(source.fault(at, &key("client_key"), problem));
        }
        _ => {}
    }
    let cert = absolute(cert, &key("client_cert"), faults);
    let its_key = absolute(its_key, &key("client_key"), faults);
    Some(ClientFiles { cert: cert?, key: its_key? })
}
