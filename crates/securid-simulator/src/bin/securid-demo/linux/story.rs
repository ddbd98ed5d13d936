//! What is shown, from the first login to the last stop.

use std::fs;
use std::process::{Command, Stdio};

use crate::linux::stage::Stage;
use crate::linux::step::Step;
use crate::linux::surroundings::CONFIG;
use crate::linux::trouble::Trouble;

/// Plays it to its end, or to the first thing that differs.
pub(crate) fn play(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    introduce(stage)?;
    start(stage)?;
    log_in(stage)?;
    list(stage)?;
    use_it(stage)?;
    add(stage)?;
    be_refused(stage)?;
    be_idle(stage)?;
    log_out_without_server(stage)?;
    crash(stage)?;
    ask_nobody(stage)?;
    start_again(stage)?;
    stop(stage)
}

fn introduce(stage: &Stage<'_>) -> Result<(), Trouble> {
    let surroundings = stage.surroundings();
    // The simulator's own user; nobody else's password.
    surroundings.write("alice.password", "correct horse")?;
    surroundings.write("wrong.password", "wrong horse")?;
    let screen = stage.screen();
    screen.tell(&format!(
        "A simulated server runs at {} (TLS, with a private CA; user alice).\n\
         All files are in one folder, which goes again at the end; alice's password is in\n\
         alice.password, a wrong one in wrong.password.\n",
        stage.simulator().url()
    ))?;
    for line in surroundings.entrance().lines() {
        screen.typed(line)?;
    }
    screen.typed(&format!("cat {CONFIG}"))?;
    Ok(screen.output(&fs::read_to_string(surroundings.path(CONFIG))?)?)
}

fn start(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("The daemon starts; it holds nothing yet")?;
    stage.start_daemon()?;
    stage.run(&Step::new("securid-ctl paths", 0).says(&["socket", "sessiond.sock"]))?;
    let kind = if stage.surroundings().test_store.is_some() { "test" } else { "keyutils" };
    let keyring = ["keyring", kind, "ready"];
    stage.run(&Step::new("securid-ctl status", 0).says(&["0 active"]).says(&keyring).within(2))
}

fn log_in(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("Log in: one token is alive, and the daemon holds it")?;
    let login = "securid-ctl login --password-stdin < alice.password";
    stage.run(&Step::new(login, 1).says(&["logged in as alice at main", "session"]))
}

fn list(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("The list has it, active")?;
    stage.run(&Step::new("securid-ctl list", 1).says(&["main", "alice", "active"]))
}

fn use_it(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("A program gets the token in its environment, and the server takes it")?;
    let truth = stage.simulator().truth();
    let length = truth.tokens.first().map_or(0, |issued| issued.token.len()).to_string();
    let look = r#"securid-ctl exec -- sh -c 'echo "a token of ${#SECURID_TOKEN} characters for $SECURID_URL"'"#;
    let url = format!("{}/command.submit", stage.simulator().url());
    stage.run(&Step::new(look, 1).says(&["a token of", &length, "characters for", &url]))?;
    if !has_curl() {
        return Ok(stage.screen().tell("(There is no curl here to call the server with.)")?);
    }
    // Through a pipe, since arguments can be seen by everybody on a machine.
    let call = r#"securid-ctl exec -- sh -c '
  printf "Authorization: Bearer %s" "$SECURID_TOKEN" |
  curl -sS -H @- -d "" "$SECURID_URL?cmd=findUsers&format=json"'"#;
    stage.run(&Step::new(call, 1).says(&["findUsers", "alice"]))
}

fn add(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("A token that was made elsewhere is handed over: the daemon holds two")?;
    let token = stage.simulator().issue("alice");
    stage.surroundings().write("elsewhere.token", &token)?;
    let add = "securid-ctl add --username alice --token-stdin < elsewhere.token";
    stage.run(&Step::new(add, 2).says(&["alice at main", "session"]))
}

fn be_refused(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("A wrong password is refused with 77, and nothing new is alive")?;
    let login = "securid-ctl login --password-stdin < wrong.password";
    stage.run(&Step::new(login, 2).exits(77).says(&["refused"]))
}

fn be_idle(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("A session that nobody uses is revoked: here after 2 s")?;
    let login = "securid-ctl login short --password-stdin < alice.password";
    stage.run(&Step::new(login, 3).says(&["logged in as alice at short", "session"]))?;
    let history = "securid-ctl history";
    stage.run(&Step::new(history, 2).says(&["short", "idle", "revoked"]).within(10))
}

fn log_out_without_server(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("The server is down: the logout is pending (75), both tokens still alive")?;
    stage.server_is_down(true)?;
    let logout = "securid-ctl logout --timeout 1s";
    stage.run(&Step::new(logout, 2).exits(75).says(&["main", "revoking"]))?;
    stage.run(&Step::new("securid-ctl status", 2).says(&["0 active", "2 revoking"]))
}

fn crash(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("The daemon is killed, and can do nothing about it")?;
    stage.kill_daemon("kill -9")?;
    stage.expect_alive(2)
}

fn ask_nobody(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("Without a daemon, a command says so (69)")?;
    stage.run(&Step::new("securid-ctl list", 2).exits(69).says(&["securid-ctl:"]))
}

fn start_again(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("The next daemon goes on, and confirms both dead once the server is back")?;
    stage.start_daemon()?;
    stage.run(&Step::new("securid-ctl list", 2).says(&["main", "revoking"]))?;
    stage.server_is_down(false)?;
    stage.run(&Step::new("securid-ctl list", 0).says(&["no sessions"]).within(15))?;
    stage.run(&Step::new("securid-ctl history", 0).says(&["main", "request", "revoked"]))
}

fn stop(stage: &mut Stage<'_>) -> Result<(), Trouble> {
    stage.begin("A daemon that is told to stop revokes first, and leaves nothing behind")?;
    let login = "securid-ctl login --password-stdin < alice.password";
    stage.run(&Step::new(login, 1).says(&["logged in as alice at main", "session"]))?;
    let ended = stage.kill_daemon("kill")?;
    if !ended.success() {
        return Err(Trouble::differs("exit status 0 of the daemon", ended.to_string()));
    }
    stage.expect_alive(0)?;
    stage.run(&Step::new("securid-ctl logout", 0).says(&["nothing to do"]))
}

fn has_curl() -> bool {
    let curl =
        Command::new("curl").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    curl.is_ok_and(|status| status.success())
}
