//! What the documentation says, command by command.

use securid_simulator::{EndedBy, Options, Simulator};
use serde_json::{Value, json};

use crate::client::{Reply, ask, command, find_users, login, logout};

const DEAD: &str =
    "The token is not valid for the command 'logoutUser'. Token is invalid or expired";

fn plain() -> Simulator {
    Simulator::start(Options { tls: false, ..Options::default() }).unwrap()
}

fn json(reply: &Reply) -> Value {
    serde_json::from_str(&reply.body).unwrap()
}

#[test]
fn login_in_json_gives_a_live_token() {
    let simulator = plain();
    let reply = ask(&simulator, &login("&format=json", "alice", "correct horse")).unwrap();
    assert_eq!(reply.status, 200);
    assert!(reply.headers["content-type"].starts_with("application/json"));
    assert!(reply.headers["date"].ends_with("GMT"));

    let reply = json(&reply);
    assert_eq!(reply["data"]["type"], "loginUser");
    let token = reply["data"]["token"].as_str().unwrap();
    assert_eq!(token.len(), 40);
    assert!(token.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c)));
    let truth = simulator.truth();
    assert_eq!(truth.alive(), [token]);
    assert_eq!(truth.token(token).unwrap().username, "alice");
    assert_eq!((truth.logins_ok, truth.logins_refused), (1, 0));
}

#[test]
fn properties_are_the_default_format() {
    let simulator = plain();
    for format in ["", "&format=properties"] {
        let reply = ask(&simulator, &login(format, "alice", "correct horse")).unwrap();
        let token = reply.body.strip_prefix("token=").unwrap().trim_end();
        let reply = ask(&simulator, &logout(format, token)).unwrap();
        assert_eq!((reply.status, reply.body.as_str()), (200, "type=logoutUser\n"));
    }
    assert_eq!(simulator.truth().alive(), [""; 0]);
}

#[test]
fn login_takes_each_content_type_that_clients_send_and_no_other() {
    let simulator = plain();
    let body = "<password>correct horse</password><username>alice</username>";
    for (content_type, status) in [
        ("application/json", 200),
        ("application/xml", 200),
        ("Text/XML; charset=utf-8", 200),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
    ] {
        let header = format!("Content-Type: {content_type}\r\n");
        let reply = ask(&simulator, &command("cmd=loginUser", &header, body)).unwrap();
        assert_eq!(reply.status, status, "{content_type}");
    }
    assert_eq!(ask(&simulator, &command("cmd=loginUser", "", body)).unwrap().status, 415);
    assert_eq!(simulator.truth().logins_ok, 3);
}

#[test]
fn login_decodes_what_must_be_escaped() {
    let users = vec![("o'hara & co".to_owned(), "<\"pässword\">".to_owned())];
    let simulator = Simulator::start(Options { tls: false, users, ..Options::default() }).unwrap();
    let escaped = login("", "o&apos;hara &amp; co", "&lt;&quot;p&#xE4;ssword&quot;&#62;");
    assert_eq!(ask(&simulator, &escaped).unwrap().status, 200);
    for bare in ["<\"pässword\">", "&"] {
        assert_eq!(ask(&simulator, &login("", "alice", bare)).unwrap().status, 400);
    }
    let truth = simulator.truth();
    assert_eq!((truth.logins_ok, truth.logins_refused, truth.requests_refused), (1, 0, 2));
}

#[test]
fn login_knows_the_auth_source_of_body_or_url() {
    let simulator = plain();
    let xml = "Content-Type: text/xml\r\n";
    let body = "<username>alice</username><password>correct horse</password>";
    let in_body = format!("<authsource>AD &amp; LDAP</authsource>{body}");
    ask(&simulator, &command("cmd=loginUser", xml, &in_body)).unwrap();
    ask(&simulator, &command("cmd=loginUser&authsource=AD+%26%20LDAP", xml, body)).unwrap();
    ask(&simulator, &command("cmd=loginUser", xml, body)).unwrap();
    let truth = simulator.truth();
    let sources: Vec<_> = truth.tokens.iter().map(|token| token.auth_source.as_deref()).collect();
    assert_eq!(sources, [Some("AD & LDAP"), Some("AD & LDAP"), None]);
}

#[test]
fn an_assertion_is_the_whole_body_where_the_url_names_its_source() {
    let simulator = plain();
    simulator.trust("Company SSO", "<saml a=\"b\"/>\n", "bob");
    let at = |query: &str, body: &str| {
        let xml = "Content-Type: application/xml\r\n";
        ask(&simulator, &command(&format!("cmd=loginUser{query}"), xml, body)).unwrap().status
    };
    assert_eq!(at("&authsource=Company%20SSO", "<saml a=\"b\"/>\n"), 200);
    for (query, body, status) in [
        ("&authsource=Company%20SSO", "<saml a=\"b\"/>", 401),
        (
            "&authsource=Company%20SSO",
            "<username>alice</username><password>correct horse</password>",
            401,
        ),
        ("&authsource=AD", "<saml a=\"b\"/>\n", 400),
        ("", "<saml a=\"b\"/>\n", 400),
    ] {
        assert_eq!(at(query, body), status, "{query} {body}");
    }
    let truth = simulator.truth();
    assert_eq!((truth.tokens.len(), truth.logins_refused), (1, 2));
    assert_eq!(truth.tokens[0].username, "bob");
    assert_eq!(truth.tokens[0].auth_source.as_deref(), Some("Company SSO"));
}

#[test]
fn a_refused_login_is_not_the_page_of_a_dead_token() {
    let simulator = plain();
    for (username, password) in [("alice", "wrong"), ("nobody", "correct horse"), ("alice", "")] {
        let reply = ask(&simulator, &login("&format=json", username, password)).unwrap();
        assert_eq!(reply.status, 401);
        assert!(reply.headers["content-type"].starts_with("text/html"));
        assert!(!reply.body.contains("Token is invalid or expired"));
    }
    let truth = simulator.truth();
    assert_eq!((truth.logins_refused, truth.requests_refused), (3, 0));
    assert!(truth.tokens.is_empty());
}

#[test]
fn logout_kills_the_token_once() {
    let simulator = plain();
    let token = simulator.issue("alice");
    let reply = ask(&simulator, &logout("&format=json", &token)).unwrap();
    assert_eq!(reply.status, 200);
    assert_eq!(json(&reply), json!({ "data": { "type": "logoutUser" } }));

    let reply = ask(&simulator, &logout("&format=json", &token)).unwrap();
    assert_eq!(reply.status, 401);
    assert!(reply.headers["content-type"].starts_with("text/html"));
    assert!(reply.body.contains("<title>Error</title>") && reply.body.contains(DEAD));

    let truth = simulator.truth();
    let of_token = truth.token(&token).unwrap();
    assert!(!of_token.alive);
    assert_eq!(of_token.ended_by, Some(EndedBy::LogoutUser));
    assert!(of_token.ended_at.unwrap() >= of_token.issued_at);
    assert_eq!(of_token.logout_requests, 2);
    assert_eq!((truth.logout_requests, truth.requests_refused), (2, 1));
    assert_eq!(truth.in_flight_peak, 1);
}

#[test]
fn logout_of_an_expired_unknown_or_missing_token_says_so() {
    let simulator = plain();
    let expired = simulator.issue("alice");
    assert!(simulator.expire(&expired));
    assert!(!simulator.expire(&expired));
    let json_headers = "Accept: application/json\r\nContent-Type: application/json\r\n";
    let alive = simulator.issue("alice");
    for request in [
        logout("&format=json", &expired),
        logout("", "never-issued"),
        command("cmd=logoutUser", json_headers, ""),
        command(&format!("cmd=logoutUser&token={alive}"), json_headers, ""),
        command("cmd=logoutUser", &format!("Authorization: Basic {alive}\r\n{json_headers}"), ""),
    ] {
        let reply = ask(&simulator, &request).unwrap();
        assert_eq!(reply.status, 401, "{request}");
        assert!(reply.body.contains(DEAD));
    }
    let truth = simulator.truth();
    assert_eq!(truth.token(&expired).unwrap().ended_by, Some(EndedBy::Expired));
    assert_eq!(truth.alive(), [alive]);
    assert_eq!((truth.logout_requests, truth.logouts_of_unknown_tokens), (5, 1));
}

#[test]
fn logout_insists_on_its_headers() {
    let simulator = plain();
    let token = simulator.issue("alice");
    let good = logout("&format=json", &token);
    for (without, status) in [
        ("Accept: application/json\r\n", 406),
        ("Content-Type: application/json\r\n", 415),
        ("Content-Length: 0\r\n", 411),
    ] {
        let request = good.replace(without, "");
        assert_ne!(request, good);
        assert_eq!(ask(&simulator, &request).unwrap().status, status, "{without}");
    }
    assert_eq!(simulator.truth().alive(), [token.as_str()]);

    let chunked =
        good.replace("Content-Length: 0\r\n", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n";
    assert_eq!(ask(&simulator, &chunked).unwrap().status, 200);
    assert!(simulator.truth().alive().is_empty());
}

#[test]
fn other_commands_need_a_live_token() {
    let simulator = plain();
    let token = simulator.issue("alice");
    let expected = json!({ "findUsers": [{ "userid": "alice" }] });
    let reply = ask(&simulator, &find_users(&token)).unwrap();
    assert_eq!((reply.status, json(&reply)), (200, expected));
    let in_url = command(&format!("cmd=findUsers&token={token}"), "", "");
    assert_eq!(ask(&simulator, &in_url).unwrap().body, "userid=alice\n");

    assert!(!simulator.revive(&token));
    assert!(simulator.expire(&token));
    let reply = ask(&simulator, &find_users(&token)).unwrap();
    assert_eq!(reply.status, 401);
    assert!(reply.body.contains("for the command 'findUsers'. Token is invalid or expired"));
    assert_eq!(simulator.truth().token(&token).unwrap().other_requests, 3);
    assert_eq!(simulator.truth().logout_requests, 0);

    assert!(simulator.revive(&token));
    assert_eq!(ask(&simulator, &find_users(&token)).unwrap().status, 200);
}

#[test]
fn login_instructions_need_no_token() {
    let reply = ask(&plain(), &command("cmd=getLoginInstructions", "", "")).unwrap();
    assert_eq!(reply.status, 200);
    assert!(reply.headers["content-type"].starts_with("text/plain"));
    assert!(reply.body.contains("Log in"));
}

#[test]
fn what_is_no_command_is_refused() {
    let simulator = plain();
    let unknown = ask(&simulator, &command("cmd=makeCoffee", "", "")).unwrap();
    assert_eq!((unknown.status, unknown.reason.as_str()), (404, "makeCoffee"));
    let no_phrase = ask(&simulator, &command("cmd=make%0D%0ACoffee:x", "", "")).unwrap();
    assert_eq!((no_phrase.status, no_phrase.reason.as_str()), (404, "Not Found"));
    for (query, status) in [("", 400), ("cmd=", 400), ("cmd=findUsers&format=yaml", 400)] {
        assert_eq!(ask(&simulator, &command(query, "", "")).unwrap().status, status, "{query}");
    }
    let get = "GET /aveksa/command.submit?cmd=findUsers HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let get = ask(&simulator, get).unwrap();
    assert_eq!((get.status, get.headers["allow"].as_str()), (405, "POST"));
    let elsewhere = command("cmd=findUsers", "", "").replace("/aveksa/", "/other/");
    assert_eq!(ask(&simulator, &elsewhere).unwrap().status, 404);
    assert_eq!(simulator.truth().requests_refused, 7);
}
