//! `securid-ctl`: see the library of the same name, which is all of it.

use std::process::ExitCode;

use securid_secret::WipingAllocator;

/// Libraries hold passwords and tokens too, on their way.
#[global_allocator]
static HEAP: WipingAllocator = WipingAllocator;

fn main() -> ExitCode {
    securid_ipc::panics::end_the_process("securid-ctl", securid_ctl::tell_of_a_panic);
    securid_ipc::home::leave_closed_ones();
    securid_secret::shut_others_out();
    securid_ctl::run()
}
