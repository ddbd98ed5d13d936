//! A person before a real terminal: what is typed, what is on the screen, and how the terminal is left.

mod tmux;

use std::cell::Cell;
use std::path::PathBuf;
use std::process::Command;

use rustix::process::{Pid, Signal, kill_process};

use crate::house::House;
use crate::patience::{eventually, is_installed};
use tmux::Tmux;

/// How wide it is: most lines of ours fit.
pub const COLUMNS: u16 = 120;

/// How high it is.
pub const ROWS: u16 = 40;

/// The number of the command to come, and how the last one ended.
const PROMPT: &str = "(\\#:$?)$ ";

/// `kept COMMAND…` ends with 99 if the command leaves the terminal otherwise than it has found it. By a
/// shell that does not mend that, as bash does after a program that dies of a signal.
const KEPT: &str = r#"() { sh -c '
    trap : INT QUIT TERM
    found=$(stty -g)
    "$@"
    status=$?
    left=$(stty -g)
    [ "$found" = "$left" ] && exit $status
    stty -a
    stty "$found"
    echo "the terminal is left otherwise than it was found"
    exit 99' kept "$@"; }"#;

/// A terminal with a shell in it. Dropped, it ends all that runs in it; what has left it for a session
/// of its own, as daemons do, goes on. In a failing test it shows first what was on the screen.
#[derive(Debug)]
pub struct Terminal {
    tmux: Tmux,
    shell: Pid,
    /// Which command is under way, or was the last.
    command: Cell<u32>,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Ended {
    /// Its exit status, as the shell says it.
    pub status: i32,
    /// What was on the screen between its line and the next prompt. Lines that the terminal has wrapped
    /// are whole.
    pub text: String,
}

impl House {
    /// A terminal in this house, with the programs on its `PATH`; none, and said so, where there can be none.
    #[must_use]
    pub fn terminal(&self) -> Option<Terminal> {
        Terminal::open(|shell| self.furnish(shell))
    }
}

impl Terminal {
    /// A terminal in an environment of one's own, to whose `PATH` our programs are added; none, and said so,
    /// without tmux.
    ///
    /// # Panics
    /// If it cannot be had.
    #[must_use]
    pub fn open(furnish: impl FnOnce(&mut Command)) -> Option<Self> {
        if !is_installed("tmux") {
            return None;
        }
        let tmux = Tmux::start(|server| {
            furnish(server);
            server.env("PS1", PROMPT).env("HISTFILE", "").env("BASH_FUNC_kept%%", KEPT);
            // What is drawn is drawn in UTF-8.
            server.env("LANG", "C.UTF-8").env_remove("NO_COLOR");
        });
        let (columns, rows) = (COLUMNS.to_string(), ROWS.to_string());
        let start = tmux.start.to_string_lossy().into_owned();
        let session = ["new-session", "-d", "-x", &columns, "-y", &rows, "-c", &start];
        tmux.ask(&[&session[..], &["bash", "--norc", "--noprofile"]].concat());
        let shell = tmux.variable("pane_pid").parse().ok().and_then(Pid::from_raw);
        let shell = shell.expect("a pane has a process");
        let terminal = Self { tmux, shell, command: Cell::new(0) };
        eventually("the shell's prompt", || terminal.prompt());
        Some(terminal)
    }

    /// Has the shell run a line, to its end.
    pub fn run(&self, line: &str) -> Ended {
        self.begin(line);
        self.end()
    }

    /// Has the shell run a line, and waits for nothing. Before anything more is typed, wait for a sign of
    /// what was begun: what comes too early may be lost on the way, as on any terminal.
    pub fn begin(&self, line: &str) {
        let (next, _) = eventually("the shell's prompt", || self.prompt());
        self.command.set(next);
        self.type_line(line);
    }

    /// Waits for the end of what was begun.
    pub fn end(&self) -> Ended {
        let under_way = self.command.get();
        let status = eventually("the next prompt", || {
            self.prompt().and_then(|(next, status)| (next > under_way).then_some(status))
        });
        let everything = self.everything();
        let prompt = format!("({under_way}:");
        let lines: Vec<&str> = everything.lines().collect();
        // A program may have cleared the screen.
        let typed = lines.iter().rposition(|line| line.contains(&prompt));
        let first = typed.map_or(0, |line| line + 1);
        let text = lines[first..].join("\n");
        // An output that does not end its line has the prompt behind it.
        let text = text[..text.rfind('(').unwrap_or(0)].trim_end().to_owned();
        Ended { status, text }
    }

    /// Types into whatever reads, and presses Enter.
    pub fn type_line(&self, text: &str) {
        self.type_text(text);
        self.key("Enter");
    }

    /// Types into whatever reads.
    pub fn type_text(&self, text: &str) {
        // To tmux a semicolon at the end is its own.
        let text = text.strip_suffix(';').map_or(text.to_owned(), |text| format!("{text}\\;"));
        self.tmux.ask(&["send-keys", "-l", "--", &text]);
    }

    /// Presses a key, by tmux's name for it: `C-c`, `Tab`, `Escape`, `Up`.
    pub fn key(&self, name: &str) {
        self.tmux.ask(&["send-keys", name]);
    }

    /// What is on the screen; lines that the terminal has wrapped are whole, and wider than it.
    #[must_use]
    pub fn screen(&self) -> String {
        trimmed(&self.tmux.ask(&["capture-pane", "-p", "-J"]))
    }

    /// The same, with what has gone off its top.
    #[must_use]
    pub fn everything(&self) -> String {
        trimmed(&self.tmux.ask(&["capture-pane", "-p", "-J", "-S", "-"]))
    }

    /// Waits until a text is on the screen, and gives all of that. A line that was typed is there as well.
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?} on the screen"), |screen| screen.contains(text))
    }

    /// Waits until the screen is as wanted, and gives it.
    pub fn wait_until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        eventually(what, || Some(self.screen()).filter(|screen| is_so(screen)))
    }

    /// Answers what a program asks at the end of the screen, where what is typed is seen.
    pub fn answer(&self, question: &str, text: &str) {
        self.wait_until(&format!("{question:?}"), |screen| is_asked(screen, question));
        // What comes before the program reads may be taken for the shell's.
        eventually("the program to read", || self.echoes().then_some(()));
        self.type_line(text);
    }

    /// The same where what is typed is not to be seen.
    pub fn answer_unseen(&self, question: &str, text: &str) {
        self.wait_until(&format!("{question:?}"), |screen| is_asked(screen, question));
        eventually("the terminal to hide what is typed", || (!self.echoes()).then_some(()));
        self.type_line(text);
    }

    /// Whether what is typed is seen, now, while something runs. (At the shell's own prompt it is not:
    /// there the shell itself shows it.)
    ///
    /// # Panics
    /// If the terminal cannot be asked.
    #[must_use]
    pub fn echoes(&self) -> bool {
        let mut stty = Command::new("stty");
        stty.arg("-a").arg("-F").arg(self.tty());
        let modes = stty.output().expect("stty is everywhere").stdout;
        let modes = String::from_utf8(modes).expect("words");
        assert!(modes.contains("echo"), "stty: {modes:?}");
        modes.split_whitespace().any(|mode| mode == "echo")
    }

    /// Whether the cursor is to be seen.
    #[must_use]
    pub fn shows_cursor(&self) -> bool {
        self.tmux.variable("cursor_flag") == "1"
    }

    /// Whether a program has the whole screen to itself, and the lines before are put away meanwhile.
    #[must_use]
    pub fn is_on_other_screen(&self) -> bool {
        self.tmux.variable("alternate_on") == "1"
    }

    /// Makes it another size, as by dragging a window's corner.
    pub fn resize(&self, columns: u16, rows: u16) {
        let (columns, rows) = (columns.to_string(), rows.to_string());
        self.tmux.ask(&["resize-window", "-x", &columns, "-y", &rows]);
    }

    /// The device.
    #[must_use]
    pub fn tty(&self) -> PathBuf {
        self.tmux.variable("pane_tty").into()
    }

    /// The shell's prompt, if it is the last thing on the screen: which command comes next, and how the
    /// last one ended.
    fn prompt(&self) -> Option<(u32, i32)> {
        let everything = self.everything();
        let line = everything.lines().next_back()?;
        // After an output that does not end its line.
        let prompt = line.get(line.rfind('(')? + 1..)?.strip_suffix(")$")?;
        let (next, status) = prompt.split_once(':')?;
        Some((next.parse().ok()?, status.parse().ok()?))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let screen = self.tmux.try_ask(&["capture-pane", "-p", "-J", "-S", "-"]);
            eprintln!("--- the terminal ---\n{}\n", trimmed(&screen.unwrap_or_else(|error| error)));
        }
        for pid in processes_of(self.shell) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The processes of a session, its leader last.
fn processes_of(session: Pid) -> Vec<Pid> {
    let all = std::fs::read_dir("/proc").into_iter().flatten();
    let pids = all.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    let mut own: Vec<Pid> = pids
        .filter(|pid| session_of(*pid) == Some(session.as_raw_pid()))
        .filter_map(Pid::from_raw)
        .collect();
    own.sort_by_key(|pid| *pid == session);
    own
}

/// The session of a process that is there (`man proc_pid_stat`).
fn session_of(pid: i32) -> Option<i32> {
    const SESSION_AFTER_NAME: usize = 3;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(") ")?;
    after_name.split(' ').nth(SESSION_AFTER_NAME)?.parse().ok()
}

/// Whether a question stands at the end, and so waits for its answer.
fn is_asked(screen: &str, question: &str) -> bool {
    screen.ends_with(question.trim_end())
}

/// Without what is empty at the end of lines, and of the whole.
fn trimmed(screen: &str) -> String {
    let lines: Vec<&str> = screen.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use rustix::process::test_kill_process;

    use super::*;

    fn terminal() -> Option<Terminal> {
        Terminal::open(|shell| {
            shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        })
    }

    #[test]
    fn a_command_is_told_with_its_status() {
        let Some(terminal) = terminal() else { return };
        let ended = terminal.run("printf 'a\\n(b)\\n'; exit_with() { return $1; }; exit_with 7");
        assert_eq!((ended.status, ended.text.as_str()), (7, "a\n(b)"));
        assert_eq!(terminal.run("true;").status, 0);
        assert_eq!(terminal.run("printf 'no end of line'").text, "no end of line");
        // Wrapped by the terminal, and longer than its screen.
        let long = terminal.run(&format!("for i in $(seq {ROWS}); do printf '%200s|\\n' $i; done"));
        assert_eq!(long.text.lines().count(), usize::from(ROWS));
        assert!(long.text.lines().all(|line| line.ends_with('|')), "{}", long.text);
    }

    #[test]
    fn what_reads_is_typed_into_and_interrupted() {
        let Some(terminal) = terminal() else { return };
        terminal.begin("stty -echo; read -rp 'who? ' name; stty echo; echo \"it is $name\"");
        terminal.answer_unseen("\nwho? ", "alice;");
        assert!(terminal.end().text.contains("it is alice;"));
        assert_eq!(terminal.everything().matches("alice").count(), 1);

        terminal.begin("read -rp 'whence? ' place; echo \"from $place\"; cat");
        terminal.answer("\nwhence? ", "here");
        terminal.wait_for("\nfrom here");
        terminal.type_line("once");
        terminal.wait_until("the echo, and cat's answer", |screen| {
            screen.matches("\nonce").count() == 2
        });
        assert!(terminal.echoes());
        terminal.key("C-c");
        assert_eq!(terminal.end().status, 130);
    }

    #[test]
    fn how_a_program_leaves_the_terminal_is_known() {
        let Some(terminal) = terminal() else { return };
        assert_eq!(terminal.run("kept false").status, 1);
        let mute = terminal.run("kept stty -echo");
        assert_eq!(mute.status, 99, "{}", mute.text);
        // It dies of the signal, so that bash alone would mend it.
        terminal.begin("kept sh -c 'stty -echo; echo mute; exec sleep 60'");
        terminal.wait_for("\nmute");
        terminal.key("C-c");
        assert_eq!(terminal.end().status, 99);
        assert_eq!(terminal.run("kept true").status, 0);

        let _ = terminal.run("printf '\\033[?25l\\033[?1049h'");
        assert!(!terminal.shows_cursor() && terminal.is_on_other_screen());
        let _ = terminal.run("printf '\\033[?1049l\\033[?25h'");
        assert!(terminal.shows_cursor() && !terminal.is_on_other_screen());
        terminal.resize(60, 20);
        assert_eq!(terminal.run("stty size").text, "20 60");
    }

    #[test]
    fn it_leaves_nothing_behind() {
        let Some(terminal) = terminal() else { return };
        let (folder, shell) = (terminal.tmux.folder().to_owned(), terminal.shell);
        terminal.begin("trap '' HUP TERM; sleep 600 & sh -c \"trap '' HUP; sleep 600\"");
        eventually("both", || (processes_of(shell).len() == 4).then_some(()));
        let all = processes_of(shell);
        drop(terminal);
        for pid in all {
            eventually("its end", || test_kill_process(pid).is_err().then_some(()));
        }
        assert!(!folder.exists());
    }
}
