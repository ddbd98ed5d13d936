//! Clients that want too much, and the end of the server.

use std::time::Duration;

use securid_ipc::{
    framing::REQUEST_LIMIT,
    messages::Reply,
    server::{ConnectionId, Wanted},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, split},
    task::JoinSet,
};

use crate::{
    endpoint::{connect, is_there},
    harness::{Event, Peer, Server, request, soon, touched},
};

#[tokio::test]
async fn calls_of_one_connection_are_bounded_and_others_do_not_care() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    let many: String = (0..40).map(|id| request(id, "session.hold", "a")).collect();
    peer.send(many).await;
    for _ in 0..16 {
        soon(server.running.recv()).await.unwrap();
    }
    let mut other = server.connect().await;
    other.call(1, "session.touch", "b").await;
    assert_eq!(other.answer().await, touched(1, "b"));
    server.fake.gate.add_permits(40);
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(peer.answer().await["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..40).collect::<Vec<_>>());
    assert_eq!(server.fake.peak.lock().unwrap().1, 16);
}

#[tokio::test]
async fn the_longest_line_is_taken_and_a_longer_one_ends_the_connection() {
    let server = Server::start();
    let empty = request(1, "session.touch", "").len() - 1;
    let mut peer = server.connect().await;
    let longest = "x".repeat(REQUEST_LIMIT - empty);
    peer.call(1, "session.touch", &longest).await;
    assert_eq!(peer.answer().await, touched(1, &longest));
    peer.call(1, "session.touch", &format!("{longest}x")).await;
    let answer = peer.answer().await;
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &Value::Null));
    assert!(answer["error"]["message"].as_str().unwrap().contains("65536"), "{answer}");
    peer.is_closed().await;
}

#[tokio::test]
async fn a_flood_without_a_newline_is_cut_off_early() {
    let server = Server::start();
    let (read, mut write) = split(connect(&server.path()).await.unwrap());
    let mut read = BufReader::new(read);
    let flood = async {
        let chunk = vec![b'x'; 64 * 1024];
        let mut sent = 0;
        while sent < 64 << 20 {
            match write.write(&chunk).await {
                Ok(n) => sent += n,
                Err(_) => break,
            }
        }
        sent
    };
    let mut answer = String::new();
    let (sent, line) = soon(async { tokio::join!(flood, read.read_line(&mut answer)) }).await;
    line.unwrap();
    assert!(sent < 4 << 20, "{sent} bytes were swallowed");
    assert!(answer.contains("-32600"), "{answer:?}");
}

#[tokio::test]
async fn a_reply_that_is_too_long_becomes_an_error_and_comes_back() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.call(1, "session.show", "a").await;
    assert_eq!(peer.answer().await["error"]["code"], -32011);
    assert!(matches!(server.event().await, Event::Undelivered(Reply::Forgotten(_))));
}

/// Each is a megabyte, and two of one client may wait.
#[tokio::test]
async fn answers_that_one_client_leaves_unread_are_bounded() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.send((1..=5).map(|id| request(id, "session.token", "a")).collect::<String>()).await;
    for _ in 3..=5 {
        assert!(matches!(server.event().await, Event::Undelivered(Reply::Forgotten(_))));
    }
    let mut answers = Vec::new();
    for _ in 1..=5 {
        answers.push(peer.answer().await);
    }
    let refused: Vec<_> = answers.iter().filter_map(|answer| answer.get("error")).collect();
    assert_eq!(refused.len(), 3);
    for error in refused {
        assert_eq!(error["code"], -32011);
        assert!(error["message"].as_str().unwrap().contains("2097152 bytes unread"), "{error}");
        assert!(error["data"]["hint"].is_string(), "{error}");
    }
    peer.call(6, "session.token", "a").await;
    assert!(peer.answer().await["result"].is_object());
}

/// Two of each fill up what there is.
#[tokio::test]
async fn answers_that_all_clients_leave_unread_are_bounded_and_short_ones_always_fit() {
    let mut server = Server::start();
    let mut crowd = Vec::new();
    for _ in 0..17 {
        let mut peer = server.connect().await;
        peer.send(request(1, "session.token", "a") + &request(2, "session.token", "a")).await;
        crowd.push(peer);
    }
    assert!(matches!(server.event().await, Event::Undelivered(Reply::Forgotten(_))));
    let mut other = server.connect().await;
    other.call(1, "session.token", "a").await;
    let refused = other.answer().await;
    assert_eq!(refused["error"]["code"], -32011);
    assert!(refused["error"]["message"].as_str().unwrap().contains("33554432 bytes unread"));
    other.call(2, "session.touch", "b").await;
    assert_eq!(other.answer().await, touched(2, "b"));
    // What those leave behind who go is there again.
    drop(crowd);
    for id in 0.. {
        assert!(id < 1000, "it is not there again");
        other.call(id, "session.token", "a").await;
        if other.answer().await["result"].is_object() {
            break;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_dropped_and_its_replies_come_back() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    // Each is a megabyte: the first fills the socket.
    peer.send(request(1, "session.token", "a") + &request(2, "session.token", "a")).await;
    let before = tokio::time::Instant::now();
    for _ in 0..2 {
        assert!(matches!(server.event().await, Event::Undelivered(Reply::Forgotten(_))));
    }
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
    let took = before.elapsed();
    assert!((10..12).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_line_that_stays_half_sent_ends_the_connection_and_an_idle_one_stays() {
    let mut server = Server::start();
    let mut idle = server.connect().await;
    idle.call(1, "session.touch", "a").await;
    assert_eq!(idle.answer().await, touched(1, "a"));
    let mut half = server.connect().await;
    half.send("{\"jsonrpc\":").await;
    let before = tokio::time::Instant::now();
    half.is_closed().await;
    assert!((10..12).contains(&before.elapsed().as_secs()), "{:?}", before.elapsed());
    assert_eq!(server.event().await, Event::Closed(ConnectionId(1)));
    tokio::time::sleep(Duration::from_secs(3600)).await;
    idle.call(2, "session.touch", "b").await;
    assert_eq!(idle.answer().await, touched(2, "b"));
}

#[tokio::test]
async fn a_stop_lets_calls_finish_and_takes_nothing_new() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    let mut idle = server.connect().await;
    peer.call(1, "session.hold", "a").await;
    soon(server.running.recv()).await.unwrap();
    server.wanted.send_replace(Wanted::NoLonger);
    idle.is_closed().await;
    assert!(connect(&server.path()).await.is_err(), "it still takes connections");
    assert!(!is_there(&server.path()), "the socket was left behind");
    server.fake.gate.add_permits(1);
    assert_eq!(peer.answer().await, touched(1, "a"));
    peer.is_closed().await;
    soon(server.serving).await.unwrap();
}

#[tokio::test]
async fn wanted_while_connected_it_ends_with_the_last_client() {
    let server = Server::start();
    let mut first = server.connect().await;
    first.call(1, "session.touch", "a").await;
    assert_eq!(first.answer().await, touched(1, "a"));
    server.wanted.send_replace(Wanted::WhileConnected);
    let mut second = server.connect().await;
    drop(first);
    second.call(2, "session.touch", "b").await;
    assert_eq!(second.answer().await, touched(2, "b"));
    // Wanted again meanwhile, it stays though nobody is there.
    server.wanted.send_replace(Wanted::Always);
    drop(second);
    let mut third = server.connect().await;
    third.call(3, "session.touch", "c").await;
    assert_eq!(third.answer().await, touched(3, "c"));
    server.wanted.send_replace(Wanted::WhileConnected);
    assert!(!server.serving.is_finished());
    drop(third);
    soon(server.serving).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_no_call_for_ever() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.call(1, "session.hold", "a").await;
    soon(server.running.recv()).await.unwrap();
    server.wanted.send_replace(Wanted::NoLonger);
    let before = tokio::time::Instant::now();
    soon(server.serving).await.unwrap();
    assert!(before.elapsed() < Duration::from_secs(3), "{:?}", before.elapsed());
    peer.is_closed().await;
}

#[tokio::test]
async fn a_panic_of_the_service_ends_the_server() {
    let server = Server::start();
    let mut peer = server.connect().await;
    peer.send("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"daemon.stop\"}\n").await;
    let panic = soon(server.serving).await.unwrap_err().into_panic();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the service panics"));
}

#[tokio::test]
async fn many_clients_at_once_each_get_their_own() {
    let server = Server::start();
    let mut clients = JoinSet::new();
    for client in 0..50 {
        let path = server.path();
        clients.spawn(async move {
            let mut peer = Peer(BufReader::new(connect(&path).await.unwrap()));
            for id in 0..20 {
                let session = format!("{client}-{id}");
                peer.call(id, "session.touch", &session).await;
                assert_eq!(peer.answer().await, touched(id, &session));
            }
        });
    }
    soon(clients.join_all()).await;
}
