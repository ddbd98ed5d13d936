//! The file by which launchd knows the daemon.

use std::env::home_dir;

use super::super::signed::signed;
use crate::{
    failure::{FAILED, Failure},
    manager::Agent,
    program,
};

/// The agent of the daemon beside this program.
///
/// # Errors
/// If there is none, or its path can stand in no such file.
pub(super) fn text() -> Result<String, Failure> {
    let us = program::ourselves()?;
    let daemon = us.with_file_name("securid-sessiond");
    let failed = |what: String, hint: &str| Failure::new("setup", what, FAILED).with_hint(hint);
    if !daemon.is_file() {
        let what = format!("{} is not there, beside securid-ctl", daemon.display());
        return Err(failed(what, "Install both programs into one folder."));
    }
    let log = home_dir().unwrap_or_default().join("Library/Logs/securid-sessiond.log");
    let (Some(daemon), Some(log)) = (daemon.to_str(), log.to_str()) else {
        let what = format!("launchd cannot name {}, which is not UTF-8", daemon.display());
        return Err(failed(what, "Install both programs where the path is."));
    };
    // It runs from the login on, for what an earlier one has left to revoke, and again if it fails, but not if it was stopped.
    // Its end has 5 s more than its `shutdown_grace`, 20 s unless configured, and a bad config is tried twice a minute.
    Ok(signed(&format!(
        "<plist version=\"1.0\">\n\
         <dict>\n\
         \t<key>Label</key><string>{label}</string>\n\
         \t<key>ProgramArguments</key><array><string>{daemon}</string></array>\n\
         \t<key>RunAtLoad</key><true/>\n\
         \t<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>\n\
         \t<key>ThrottleInterval</key><integer>30</integer>\n\
         \t<key>ExitTimeOut</key><integer>25</integer>\n\
         \t<key>ProcessType</key><string>Background</string>\n\
         \t<key>Umask</key><integer>63</integer>\n\
         \t<key>StandardErrorPath</key><string>{log}</string>\n\
         </dict>\n\
         </plist>\n",
        label = Agent::LABEL,
        daemon = escaped(daemon),
        log = escaped(log),
    )))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
