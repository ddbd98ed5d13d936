//! A person before gnome-keyring's unlock dialog.
//!
//! gnome-keyring shows no dialogs itself: it calls `org.gnome.keyring.SystemPrompter` on the bus,
//! which on a desktop is GNOME Shell or gcr-prompter. This one shows nothing, counts how often it was
//! called, and answers as a test wants. (Interface and sealing: `gcr/gcr-system-prompter.c` and
//! `gcr/gcr-secret-exchange.c` of gcr 3.)

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{Array, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hkdf::Hkdf;
use sha2::Sha256;
use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::message::Type;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};

use crate::patience::PATIENCE;
use crate::secret_service::{PASSWORD, SecretService};

const BUS_NAME: &str = "org.gnome.keyring.SystemPrompter";
const CALLBACK: &str = "org.gnome.keyring.internal.Prompter.Callback";

/// Our public key. Nothing is secret here, so the private one is 1, and this is the generator.
const PUBLIC: [u8; 1] = [2];

/// The form of the answer's properties: we set none.
type Properties = HashMap<String, OwnedValue>;

/// The prompter of a bus.
#[derive(Debug)]
pub struct Prompter {
    called: Receiver<()>,
    shown: Receiver<Dialog>,
    _bus: Connection,
}

/// A dialog that waits for its person. Dropped, it goes on waiting.
#[derive(Debug)]
#[must_use]
pub struct Dialog {
    bus: Connection,
    owner: String,
    callback: OwnedObjectPath,
    exchange: String,
}

impl Prompter {
    /// One that nobody answers, until somebody does.
    ///
    /// # Panics
    /// If the bus does not have it.
    #[must_use]
    pub fn start(service: &SecretService) -> Self {
        let bus = connection::Builder::address(service.address().as_str())
            .and_then(|builder| builder.build())
            .expect("the bus serves");
        let messages = MessageIterator::from(&bus);
        bus.request_name(BUS_NAME).expect("nobody else has it");
        let (call, called) = channel();
        let (show, shown) = channel();
        let answering = bus.clone();
        thread::spawn(move || {
            for message in messages.flatten() {
                let header = message.header();
                let (Some(member), Some(sender)) = (header.member(), header.sender()) else {
                    continue;
                };
                if header.message_type() != Type::MethodCall {
                    continue;
                }
                let (owner, bus) = (sender.to_string(), answering.clone());
                let _ = bus.reply(&header, &());
                match member.as_str() {
                    "BeginPrompting" => {
                        let _ = call.send(());
                        let callback = message.body().deserialize().expect("it takes a callback");
                        let exchange = String::new();
                        let offer = format!("[sx-aes-1]\npublic={}\n", STANDARD.encode(PUBLIC));
                        Dialog { bus, owner, callback, exchange }.ready("", &offer);
                    }
                    "PerformPrompt" => {
                        type Wanted = (OwnedObjectPath, String, Properties, String);
                        let (callback, _, _, exchange): Wanted =
                            message.body().deserialize().expect("it is of this form");
                        let _ = show.send(Dialog { bus, owner, callback, exchange });
                    }
                    "StopPrompting" => {
                        let callback = message.body().deserialize().expect("it takes a callback");
                        Dialog { bus, owner, callback, exchange: String::new() }
                            .tell("PromptDone", &());
                    }
                    other => panic!("a prompter has no method {other}"),
                }
            }
        });
        Self { called, shown, _bus: bus }
    }

    /// How often anybody wanted to ask the person something since this was last asked.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.called.try_iter().count()
    }

    /// Waits for the next dialog.
    ///
    /// # Panics
    /// If none comes.
    pub fn dialog(&self) -> Dialog {
        self.shown.recv_timeout(PATIENCE).expect("a dialog is shown")
    }
}

impl Dialog {
    /// The person turns it away.
    pub fn cancel(self) {
        self.ready("no", &sealed("", &self.exchange));
    }

    /// The person types the keyring's password.
    pub fn answer(self) {
        self.ready("yes", &sealed(PASSWORD, &self.exchange));
    }

    fn ready(&self, reply: &str, exchange: &str) {
        self.tell("PromptReady", &(reply, Properties::new(), exchange));
    }

    fn tell(&self, method: &str, body: &(impl serde::Serialize + zbus::zvariant::DynamicType)) {
        let message = zbus::Message::method_call(&self.callback, method)
            .and_then(|builder| builder.destination(self.owner.as_str()))
            .and_then(|builder| builder.interface(CALLBACK))
            .and_then(|builder| builder.with_flags(zbus::message::Flags::NoReplyExpected))
            .and_then(|builder| builder.build(body))
            .expect("it is well formed");
        // The keyring may have gone.
        let _ = self.bus.send(&message);
    }
}

/// What was typed, as the one who asks can read it: sx-aes-1, that is Diffie-Hellman in the 1536-bit
/// group of RFC 3526, HKDF and AES.
fn sealed(typed: &str, exchange: &str) -> String {
    const PRIME_BYTES: usize = 192;
    let theirs = exchange.lines().find_map(|line| line.strip_prefix("public="));
    let theirs = STANDARD.decode(theirs.expect("it has a public key")).expect("it is base64");
    // With ours, what both share is their own public key.
    let mut shared = vec![0; PRIME_BYTES.saturating_sub(theirs.len())];
    shared.extend(&theirs);
    let mut key = [0; 16];
    Hkdf::<Sha256>::new(None, &shared).expand(&[], &mut key).expect("16 bytes are few");
    let iv = [7; 16];
    let secret = cbc::Encryptor::<aes::Aes128>::new(&Array::from(key), &Array::from(iv))
        .encrypt_padded_vec::<Pkcs7>(typed.as_bytes());
    let [public, secret, iv] = [&PUBLIC[..], &secret, &iv].map(|bytes| STANDARD.encode(bytes));
    format!("[sx-aes-1]\npublic={public}\nsecret={secret}\niv={iv}\n")
}
