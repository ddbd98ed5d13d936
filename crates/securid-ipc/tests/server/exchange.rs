//! Requests and replies, in whatever order, with clients that come and go.

use std::collections::HashMap;

use securid_ipc::{
    messages::{Reply, SessionRef},
    server::ConnectionId,
};
use serde_json::json;

use crate::{
    endpoint::connect_at_once,
    harness::{Event, Server, request, soon, touched},
};

#[tokio::test]
async fn greets_alone_and_hands_calls_on() {
    let server = Server::start();
    let mut peer = server.connect().await;
    peer.send("{\"jsonrpc\":\"2.0\",\"id\":\"h\",\"method\":\"daemon.hello\"}\n").await;
    assert_eq!(
        peer.answer().await,
        json!({ "jsonrpc": "2.0", "id": "h",
                "result": { "protocol": 1, "version": securid_ipc::VERSION } })
    );
    peer.call(2, "session.touch", "a").await;
    assert_eq!(peer.answer().await, touched(2, "a"));
    peer.call(3, "session.forget", "a").await;
    assert_eq!(peer.answer().await["error"]["code"], -32008);
    peer.call(4, "session.calls", "a").await;
    assert_eq!(peer.answer().await["error"]["code"], -32601);
    peer.send("nonsense\n").await;
    assert_eq!(peer.answer().await["error"]["code"], -32700);
    peer.call(5, "session.touch", "still there").await;
    assert_eq!(peer.answer().await, touched(5, "still there"));
}

#[tokio::test]
async fn answers_come_as_calls_end_and_a_greeting_overtakes_them() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.call(1, "session.hold", "slow").await;
    assert_eq!(soon(server.running.recv()).await.unwrap(), "slow");
    peer.call(2, "session.touch", "fast").await;
    assert_eq!(peer.answer().await, touched(2, "fast"));
    peer.send("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"daemon.hello\"}\n").await;
    assert_eq!(peer.answer().await["id"], 3);
    server.fake.gate.add_permits(1);
    assert_eq!(peer.answer().await, touched(1, "slow"));
}

#[tokio::test]
async fn a_silent_and_a_half_spoken_client_stop_nobody() {
    let server = Server::start();
    let _silent = server.connect().await;
    let mut half = server.connect().await;
    half.send("{\"jsonrpc\":\"2.0\",").await;
    let mut peer = server.connect().await;
    peer.call(1, "session.touch", "a").await;
    assert_eq!(peer.answer().await, touched(1, "a"));
    // And the half one may go on.
    half.send("\"id\":1,\"method\":\"session.touch\"}\n").await;
    assert_eq!(half.answer().await, touched(1, ""));
}

#[tokio::test]
async fn a_new_client_is_served_beside_two_hundred_idle_ones() {
    let server = Server::start();
    let mut idle = Vec::new();
    for _ in 0..200 {
        idle.push(server.connect().await);
    }
    let mut peer = server.connect().await;
    peer.call(1, "session.touch", "a").await;
    assert_eq!(peer.answer().await, touched(1, "a"));
    for peer in &mut idle {
        peer.call(1, "session.touch", "b").await;
    }
    for peer in &mut idle {
        assert_eq!(peer.answer().await, touched(1, "b"));
    }
}

#[tokio::test]
async fn a_reply_whose_client_has_gone_comes_back() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.call(1, "session.hold", "abandoned").await;
    soon(server.running.recv()).await.unwrap();
    peer.leave().await;
    server.fake.gate.add_permits(1);
    let held = Reply::Held(SessionRef { session: "abandoned".into() });
    assert_eq!(server.event().await, Event::Undelivered(held));
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
}

#[tokio::test]
async fn every_reply_comes_back_once_however_many_were_under_way() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    for id in 0..10 {
        peer.call(id, "session.hold", &id.to_string()).await;
        soon(server.running.recv()).await.unwrap();
    }
    peer.leave().await;
    server.fake.gate.add_permits(10);
    let mut back = HashMap::new();
    loop {
        match server.event().await {
            Event::Undelivered(Reply::Held(held)) => *back.entry(held.session).or_insert(0) += 1,
            Event::Undelivered(other) => panic!("{other:?}"),
            Event::Closed(_) => break,
        }
    }
    assert_eq!(back.len(), 10);
    assert!(back.values().all(|times| *times == 1), "{back:?}");
}

#[tokio::test]
async fn a_notification_is_carried_out_and_its_reply_comes_back() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.send(
        "{\"jsonrpc\":\"2.0\",\"method\":\"session.touch\",\"params\":{\"session\":\"a\"}}\n",
    )
    .await;
    let reply = Reply::Touched(SessionRef { session: "a".into() });
    assert_eq!(server.event().await, Event::Undelivered(reply));
    peer.call(1, "session.touch", "b").await;
    assert_eq!(peer.answer().await, touched(1, "b"), "nothing was said to the notification");
}

#[tokio::test]
async fn that_a_client_has_gone_is_noticed_while_its_call_goes_on() {
    let mut server = Server::start();
    let mut peer = server.connect().await;
    peer.call(1, "session.hold", "slow").await;
    assert_eq!(soon(server.running.recv()).await.unwrap(), "slow");
    drop(peer);
    assert_eq!(soon(server.gone.recv()).await.unwrap(), ConnectionId(0));
    assert!(server.events.try_recv().is_err(), "it is not over yet");
    server.fake.gate.add_permits(1);
    assert!(matches!(server.event().await, Event::Undelivered(_)));
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
}

/// A daemon that was stopped finds him gone who has asked meanwhile: what he asked for is done all the same.
#[tokio::test]
async fn all_that_came_is_begun_though_the_first_answer_finds_nobody() {
    let mut server = Server::start();
    // The server has not run since, so that it sees both lines and the end at once.
    let mut stream = connect_at_once(&server.path());
    let hello = "{\"jsonrpc\":\"2.0\",\"id\":\"h\",\"method\":\"daemon.hello\"}\n".to_owned();
    let both = hello + &request(1, "session.hold", "a");
    std::io::Write::write_all(&mut stream, both.as_bytes()).unwrap();
    drop(stream);
    assert_eq!(soon(server.running.recv()).await.unwrap(), "a");
    server.fake.gate.add_permits(1);
    assert!(matches!(server.event().await, Event::Undelivered(Reply::Held(_))));
    assert_eq!(server.event().await, Event::Closed(ConnectionId(0)));
}
