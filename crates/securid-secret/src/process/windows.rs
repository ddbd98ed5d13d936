//! A list of who may do what with this process, as a file has one.

use std::io;

use securid_windows::{descriptor::Descriptor, own_process, sid::this_user};

/// What all that this user runs may do with it: end it (`PROCESS_TERMINATE`), ask how it is and whose
/// (`PROCESS_QUERY_LIMITED_INFORMATION`), wait for its end (`SYNCHRONIZE`). Neither read nor write nor debug it.
const FOR_US: u32 = 0x0001 | 0x1000 | 0x0010_0000;

/// No other process of this user may read or trace this one from now on, and what Windows reports of a crash has no heap in
/// it. Programs that it runs are as they would be without. Administrators still may, as may whoever had a handle before. Who
/// owns a process may change its list; with `OW` in it not even he. A system that refuses leaves all as it is.
pub fn shut_others_out() {
    let _ = list().and_then(|list| own_process::put_on(&list));
    own_process::leave_the_heap_out_of_reports();
}

fn list() -> io::Result<Descriptor> {
    let us = this_user()?;
    Descriptor::of(&format!("D:P(A;;RC;;;OW)(A;;{FOR_US:#x};;;{us})(A;;GA;;;SY)(A;;GA;;;BA)"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn we_may_no_longer_read_it() {
        shut_others_out();
        let us = this_user().unwrap();
        let grants = own_process::descriptor().unwrap().grants().unwrap();
        assert!(!grants.is_empty());
        for grant in grants.iter().filter(|grant| grant.to.as_ref() == Some(&us)) {
            assert_eq!(grant.rights, FOR_US);
        }
    }
}
