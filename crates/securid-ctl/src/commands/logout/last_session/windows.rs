//! What Windows says of logins, at the machine's console and from afar.
//!
//! A script that runs at log-off belongs to the login that ends. No shell says here that it ends.

use securid_windows::sessions::{self, Session};

/// Why another login of this user goes on besides the one that runs us; none if none does.
///
/// # Errors
/// Why nobody can say.
pub(in super::super) fn look() -> Result<Option<&'static str>, String> {
    let found = sessions::own().and_then(|own| Ok((own, sessions::all()?)));
    let (own, all) =
        found.map_err(|error| format!("Windows does not tell who is logged in: {error}"))?;
    judge(own, &all)
}

fn judge(own: u32, all: &[Session]) -> Result<Option<&'static str>, String> {
    let ours = all.iter().find(|session| session.id == own);
    let ours = ours.ok_or("Windows does not know the login session that this runs in")?;
    if ours.user.0.is_empty() {
        return Ok(Some("this runs in no login session of a user"));
    }
    let goes_on = |other: &Session| other.id != own && other.is_open && other.user == ours.user;
    Ok(all.iter().any(goes_on).then_some("another login session of this user goes on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(id: u32, is_open: bool, user: &str, domain: &str) -> Session {
        Session { id, is_open, user: (user.to_owned(), domain.to_owned()) }
    }

    #[test]
    fn a_second_login_of_the_same_user_goes_on_shown_or_left_for_a_while() {
        let services = session(0, false, "", "");
        let ours = session(2, true, "ann", "HOST");
        for (other, last) in [
            (session(3, true, "ann", "HOST"), false),
            (session(3, false, "ann", "HOST"), true),
            (session(3, true, "bob", "HOST"), true),
            (session(3, true, "ann", "DOMAIN"), true),
            (session(3, true, "", ""), true),
        ] {
            let all = [services.clone(), ours.clone(), other.clone()];
            assert_eq!(judge(2, &all) == Ok(None), last, "{other:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_ends_nothing() {
        assert!(judge(2, &[]).is_err());
        let services = session(0, false, "", "");
        assert!(matches!(judge(0, &[services]), Ok(Some(_))));
    }
}
