//! A way to the server that takes its time: each step of a handshake, and each question with its answer, takes so
//! much longer. What a server far away costs cannot be had on loopback otherwise without being root.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

/// A relay on a port of its own, for as long as the process lives.
pub(crate) struct Far {
    pub(crate) port: u16,
    /// In microseconds, there and back.
    distance: Arc<AtomicU64>,
}

impl Far {
    /// A way to this port, at first a short one.
    pub(crate) fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback works");
        let port = listener.local_addr().expect("it is bound").port();
        let distance = Arc::new(AtomicU64::new(0));
        let far = Arc::clone(&distance);
        spawn(move || {
            for client in listener.incoming().flatten() {
                let distance = Duration::from_micros(far.load(Ordering::Relaxed));
                spawn(move || carry(client, server, distance));
            }
        });
        Self { port, distance }
    }

    /// What a round trip takes from now on, of connections that begin from now on.
    pub(crate) fn set(&self, distance: Duration) {
        let micros = u64::try_from(distance.as_micros()).expect("it is short");
        self.distance.store(micros, Ordering::Relaxed);
    }
}

fn carry(client: TcpStream, server: u16, distance: Duration) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else { return };
    // TCP's own handshake, of which the kernel lets its client know at once.
    sleep(distance);
    let (to, back) = (server.try_clone(), client.try_clone());
    let (Ok(to), Ok(back)) = (to, back) else { return };
    spawn(move || delay(client, to, distance / 2));
    delay(server, back, distance / 2);
}

/// Passes everything on, so much later each.
fn delay(mut from: TcpStream, mut to: TcpStream, by: Duration) {
    let _ = to.set_nodelay(true);
    let (send, pieces) = channel::<(Instant, Vec<u8>)>();
    let writer = spawn(move || {
        for (at, piece) in pieces {
            sleep(at.saturating_duration_since(Instant::now()));
            if to.write_all(&piece).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
    let mut space = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut space) {
        if send.send((Instant::now() + by, space[..n].to_vec())).is_err() {
            break;
        }
    }
    drop(send);
    let _ = writer.join();
}
