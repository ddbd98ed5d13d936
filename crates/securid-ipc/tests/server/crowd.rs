//! More clients than there is room for.

use std::io::Write as _;

use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt as _, BufReader};

use crate::{
    endpoint::{connect, connect_at_once},
    harness::{Peer, Server, request, soon, touched},
};

const LIMIT_EXCEEDED: i64 = -32011;

/// A client that was served once and has nothing more to ask.
async fn served(server: &Server, name: &str) -> Peer {
    let mut peer = server.connect().await;
    peer.call(1, "session.touch", name).await;
    assert_eq!(peer.answer().await, touched(1, name));
    peer
}

/// It is told why it is closed, and closed.
async fn was_let_go(peer: &mut Peer, why: &str) {
    let answer = peer.answer().await;
    assert_eq!((&answer["id"], &answer["error"]["code"]), (&Value::Null, &json!(LIMIT_EXCEEDED)));
    assert!(answer["error"]["message"].as_str().unwrap().contains(why), "{answer}");
    assert!(answer["error"]["data"]["hint"].is_string(), "{answer}");
    peer.is_closed().await;
}

async fn is_served(peer: &mut Peer) {
    peer.call(9, "session.touch", "still").await;
    assert_eq!(peer.answer().await, touched(9, "still"));
}

#[tokio::test]
async fn the_one_that_is_idle_for_the_longest_makes_room_and_is_told_why() {
    let mut server = Server::with_room_for(3, None);
    let mut first = served(&server, "first").await;
    let mut second = served(&server, "second").await;
    let mut third = served(&server, "third").await;
    // Now it is the second that has asked nothing for the longest.
    is_served(&mut first).await;
    let mut fourth = served(&server, "fourth").await;
    was_let_go(&mut second, "idle for the longest").await;
    for peer in [&mut first, &mut third, &mut fourth] {
        is_served(peer).await;
    }
    let mut fifth = served(&server, "fifth").await;
    is_served(&mut fifth).await;
    was_let_go(&mut first, "idle for the longest").await;
    // Said once, and not for each.
    assert!(server.notices.recv().await.unwrap().contains("Crowded { most: 3 }"));
    assert!(server.notices.try_recv().is_err());
}

#[tokio::test]
async fn who_holds_or_waits_stays_and_the_new_one_is_told() {
    let mut server = Server::with_room_for(2, None);
    let mut holder = server.connect().await;
    holder.call(1, "session.hold", "held").await;
    soon(server.running.recv()).await.unwrap();
    server.fake.gate.add_permits(1);
    assert_eq!(holder.answer().await, touched(1, "held"));
    let mut waiter = server.connect().await;
    waiter.call(1, "session.hold", "waits").await;
    soon(server.running.recv()).await.unwrap();

    let mut refused = server.connect().await;
    was_let_go(&mut refused, "all are in use").await;
    // The holder has been quiet for longer, and is not idle.
    drop(waiter);
    server.fake.gate.add_permits(1);
    let mut other = served(&server, "other").await;
    let mut newest = served(&server, "newest").await;
    was_let_go(&mut other, "idle for the longest").await;
    is_served(&mut holder).await;
    is_served(&mut newest).await;
}

/// Its call goes on, but nobody is there to be answered.
#[tokio::test]
async fn who_has_gone_while_his_call_goes_on_keeps_no_place() {
    let mut server = Server::with_room_for(1, None);
    let mut gone = server.connect().await;
    gone.call(1, "session.hold", "a").await;
    soon(server.running.recv()).await.unwrap();
    drop(gone);
    served(&server, "b").await;
    assert_eq!(server.fake.peak.lock().unwrap().0, 1, "the call was ended as well");
}

#[tokio::test]
async fn hundreds_that_never_say_anything_or_stop_in_a_line_lock_nobody_out() {
    for said in ["", "{\"jsonrpc\":"] {
        let server = Server::with_room_for(64, None);
        let mut crowd = Vec::new();
        for _ in 0..400 {
            let mut stream = soon(connect(&server.path())).await.unwrap();
            // Those that came long before are closed by now.
            stream.write_all(said.as_bytes()).await.unwrap();
            crowd.push(stream);
        }
        let mut late = served(&server, "late").await;
        is_served(&mut late).await;
        let mut earliest = Peer(BufReader::new(crowd.swap_remove(0)));
        was_let_go(&mut earliest, "idle for the longest").await;
    }
}

#[tokio::test]
async fn who_is_let_go_still_reads_what_he_was_answered() {
    let server = Server::with_room_for(1, None);
    let mut slow = server.connect().await;
    slow.call(1, "session.touch", "a").await;
    slow.0.get_ref().readable().await.unwrap();
    served(&server, "b").await;
    assert_eq!(slow.answer().await, touched(1, "a"));
    was_let_go(&mut slow, "idle for the longest").await;
}

/// All of it happens while the server does not run, and it may look at the new one first.
#[tokio::test]
async fn whose_request_is_on_its_way_is_not_idle() {
    for _ in 0..20 {
        let server = Server::with_room_for(2, None);
        let mut asking = served(&server, "longest").await;
        let mut idle = served(&server, "idle").await;
        asking.0.get_mut().try_write(request(2, "session.touch", "a").as_bytes()).unwrap();
        let mut new = connect_at_once(&server.path());
        new.write_all(request(1, "session.touch", "b").as_bytes()).unwrap();
        assert_eq!(asking.answer().await, touched(2, "a"));
        was_let_go(&mut idle, "idle for the longest").await;
    }
}

#[tokio::test]
async fn who_finds_out_whether_the_server_answers_is_always_let_in() {
    let mut server = Server::with_room_for(0, Some(std::process::id()));
    served(&server, "a").await;
    assert!(server.notices.try_recv().is_err());
}
