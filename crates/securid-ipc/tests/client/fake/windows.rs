use std::{
    io::{self, Read, Write},
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use securid_windows::{descriptor::Descriptor, pipes::server::instance, sid::this_user};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::windows::named_pipe::NamedPipeServer,
    runtime::{Builder, Runtime},
};

/// A pipe of ours that somebody waits at.
pub(crate) struct Listener {
    path: PathBuf,
    peer: Peer,
}

/// The server's end of it, for one who waits for everything.
pub(crate) struct Peer {
    pipe: NamedPipeServer,
    runtime: Runtime,
}

impl Listener {
    pub(crate) fn new() -> Self {
        Self::owned_by(&this_user().unwrap().to_string()).unwrap()
    }

    /// A pipe that belongs to somebody (a SID, or its short form).
    pub(crate) fn owned_by(owner: &str) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = PathBuf::from(format!(r"\\.\pipe\securid-fake-{}-{number}", std::process::id()));
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let owned = Descriptor::of(&format!("O:{owner}D:(A;;FA;;;WD)")).unwrap();
        let inside = runtime.enter();
        let pipe = instance(path.as_os_str(), &owned, true, 4096)?;
        drop(inside);
        Ok(Self { path, peer: Peer { pipe, runtime } })
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Takes one client.
    pub(crate) fn accept(self) -> ((), Peer) {
        let Peer { pipe, runtime } = self.peer;
        runtime.block_on(pipe.connect()).unwrap();
        ((), Peer { pipe, runtime })
    }
}

impl Read for Peer {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.runtime.block_on(self.pipe.read(space))
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.runtime.block_on(self.pipe.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
