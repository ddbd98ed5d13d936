//! What is agreed with the Secret Service so that secrets go over the bus encrypted: what is on its way
//! is also in the buffers of libdbus and of the bus, which nobody wipes.
//!
//! It is the protocol's `dh-ietf1024-sha256-aes128-cbc-pkcs7`. That keeps secrets out of memory, not from
//! a bus that lies: nobody proves who he is.

use aes::Aes128;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use cbc::{Decryptor, Encryptor};
use crypto_bigint::modular::ConstMontyForm;
use crypto_bigint::{U256, U1024, const_monty_params};
use hkdf::Hkdf;
use securid_bus::{Path, Variant};
use securid_secret::SecretBytes;
use sha2::Sha256;

use super::collections::{Collections, SERVICE_INTERFACE, all, service_call};
use crate::keyring::error::KeyringError;
use crate::keyring::kind::StoreKind;

const KIND: StoreKind = StoreKind::SecretService;
const ALGORITHM: &str = "dh-ietf1024-sha256-aes128-cbc-pkcs7";

/// The length of numbers of the group, in bytes.
const GROUP: usize = 128;
/// The length of a block of the cipher, and of its key, in bytes.
const BLOCK: usize = 16;

const_monty_params!(
    Group,
    U1024,
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74\
     020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437\
     4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED\
     EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    "The protocol's group: the second of RFC 2409, whose generator is 2."
);

type Element = ConstMontyForm<Group, { U1024::LIMBS }>;

/// A secret as it travels: session, initialisation vector, what is encrypted, and of which type it was.
pub(super) type Sealed = (Path<'static>, Vec<u8>, Vec<u8>, String);

/// A session of the service with us, which ends when either goes.
pub(super) struct Session {
    path: Path<'static>,
    key: SecretBytes,
}

impl Session {
    /// Agrees on a key.
    pub(super) fn open(service: &mut Collections) -> Result<Self, KeyringError> {
        // Twice what the group is worth is enough; a longer one only takes longer.
        let mut private = SecretBytes::zeroed(U256::BYTES);
        fill(&mut private)?;
        let private = U256::from_be_slice(&private);
        let ours = Element::new(&U1024::from_u8(2)).pow(&private).retrieve();
        let open = service_call(SERVICE_INTERFACE, "OpenSession");
        let open = open.append2(ALGORITHM, Variant(bytes(&ours)));
        let reply = service.call(open)?;
        let (theirs, path): (Variant<Vec<u8>>, Path<'static>) = all(&reply)?;
        let theirs =
            number(&theirs.0).ok_or_else(|| failed("its key is no number of the group"))?;
        let shared = SecretBytes::from(bytes(&Element::new(&theirs).pow(&private).retrieve()));
        Ok(Self { path, key: derived(&shared)? })
    }

    /// Encrypts a secret for the way.
    pub(super) fn seal(&self, secret: &[u8]) -> Result<Sealed, KeyringError> {
        let mut vector = vec![0; BLOCK];
        fill(&mut vector)?;
        let mut room = SecretBytes::zeroed(secret.len() + BLOCK);
        room[..secret.len()].copy_from_slice(secret);
        let sealed =
            Encryptor::<Aes128>::new_from_slices(&self.key, &vector).ok().and_then(|cipher| {
                cipher.encrypt_padded::<Pkcs7>(&mut room, secret.len()).map(<[u8]>::to_vec).ok()
            });
        let sealed = sealed.ok_or_else(|| failed("the secret could not be encrypted"))?;
        Ok((self.path.clone(), vector, sealed, "application/octet-stream".to_owned()))
    }

    /// The secret that has come.
    pub(super) fn unseal(
        &self,
        (_, vector, sealed, _): Sealed,
    ) -> Result<SecretBytes, KeyringError> {
        let mut room = SecretBytes::from(sealed);
        let opened = Decryptor::<Aes128>::new_from_slices(&self.key, &vector)
            .ok()
            .and_then(|cipher| Some(cipher.decrypt_padded::<Pkcs7>(&mut room).ok()?.len()));
        room.truncate(opened.ok_or_else(|| failed("it gave unreadable data"))?);
        Ok(room)
    }

    /// Its name at the service.
    pub(super) fn path(&self) -> &Path<'static> {
        &self.path
    }
}

fn derived(shared: &[u8]) -> Result<SecretBytes, KeyringError> {
    let mut key = SecretBytes::zeroed(BLOCK);
    let expanded = Hkdf::<Sha256>::new(None, shared).expand(&[], &mut key);
    expanded.map_err(|_| failed("no key could be derived"))?;
    Ok(key)
}

/// A number as the protocol has it: as long as the group's.
fn bytes(number: &U1024) -> Vec<u8> {
    number.to_be_bytes().as_ref().to_vec()
}

/// The number that this is. Services leave zeroes out at its front.
fn number(bytes: &[u8]) -> Option<U1024> {
    let mut padded = [0; GROUP];
    padded[GROUP.checked_sub(bytes.len())?..].copy_from_slice(bytes);
    Some(U1024::from_be_slice(&padded))
}

fn fill(room: &mut [u8]) -> Result<(), KeyringError> {
    getrandom::fill(room).map_err(|e| failed(&format!("no random bytes: {e}")))
}

fn failed(cause: &str) -> KeyringError {
    KeyringError::unavailable(KIND, cause)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn session(key: &[u8]) -> Session {
        Session { path: Path::from("/s"), key: SecretBytes::from(key) }
    }

    #[test]
    fn both_sides_of_an_agreement_come_to_the_same_key() {
        let [a, b] = [U256::from_u64(0x1234_5678_9abc), U256::from_u64(77)];
        let two = Element::new(&U1024::from_u8(2));
        let [public_a, public_b] = [two.pow(&a).retrieve(), two.pow(&b).retrieve()];
        assert_eq!(Element::new(&public_b).pow(&a), Element::new(&public_a).pow(&b));
        // 2^77, whose zeroes at the front a service may leave out.
        let cut = &bytes(&public_b)[GROUP - 10..];
        assert_eq!((cut[0], number(cut)), (1 << 5, Some(public_b)));
        assert_eq!(number(&[1; GROUP + 1]), None);
    }

    #[test]
    fn what_was_sealed_opens_again_and_nothing_else_does() {
        let ours = session(&[7; BLOCK]);
        for length in [0, 1, 15, 16, 17, 4000] {
            let secret: Vec<u8> = (0..length).map(|n| (n % 251) as u8).collect();
            let sealed = ours.seal(&secret).unwrap();
            assert!(sealed.2.len() > length && sealed.2.len().is_multiple_of(BLOCK));
            assert_eq!(&*ours.unseal(sealed).unwrap(), &secret[..]);
        }
        let sealed = ours.seal(b"token").unwrap();
        let bad: [(Vec<u8>, Vec<u8>); 3] =
            [(vec![0; 3], sealed.2.clone()), (sealed.1.clone(), vec![0; 17]), (sealed.1, vec![])];
        for (vector, bytes) in bad {
            assert!(ours.unseal((sealed.0.clone(), vector, bytes, String::new())).is_err());
        }
    }

    /// Test vector of RFC 3602 (AES-128-CBC, case 1), of which the padding is a block more.
    #[test]
    fn the_cipher_is_the_protocols() {
        let key = 0x06a9_2140_36b8_a15b_512e_03d5_3412_0006_u128.to_be_bytes();
        let vector = 0x3daf_ba42_9d9e_b430_b422_da80_2c9f_ac41_u128.to_be_bytes();
        let mut room = [0; 2 * BLOCK];
        room[..BLOCK].copy_from_slice(b"Single block msg");
        let sealed = Encryptor::<Aes128>::new_from_slices(&key, &vector).unwrap();
        let sealed = sealed.encrypt_padded::<Pkcs7>(&mut room, BLOCK).unwrap();
        assert_eq!(sealed[..BLOCK], 0xe353_779c_1079_aeb8_2708_942d_be77_181a_u128.to_be_bytes());
    }
}
