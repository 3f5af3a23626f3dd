//! AES-256-GCM as this ledger uses it: a fresh random nonce before each sealed text, and what it is bound to beside it.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use zeroize::Zeroizing;

/// The bytes of a key.
pub(super) const KEY_BYTES: usize = 32;

/// It does not open: another key, another place, or damage; the three cannot be told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("does not open with this key in this place")]
pub struct NotOpened;

/// The system gave no randomness, or the text is longer than can be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("could not be sealed")]
pub struct NotSealed;

/// Random bytes that are wiped when they are dropped.
pub(super) fn random() -> Result<Zeroizing<[u8; KEY_BYTES]>, NotSealed> {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    SystemRandom::new().fill(bytes.as_mut_slice()).map_err(|_| NotSealed)?;
    Ok(bytes)
}

/// The nonce, the sealed text and its tag.
pub(super) fn seal(key: &[u8; KEY_BYTES], bound_to: &[u8], mut text: Vec<u8>) -> Result<Vec<u8>, NotSealed> {
    let mut nonce = [0; NONCE_LEN];
    SystemRandom::new().fill(&mut nonce).map_err(|_| NotSealed)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(|_| NotSealed)?);
    let place = Nonce::assume_unique_for_key(nonce);
    // In place, so that no copy of the text is left behind.
    key.seal_in_place_append_tag(place, Aad::from(bound_to), &mut text).map_err(|_| NotSealed)?;
    let mut sealed = Vec::with_capacity(NONCE_LEN + text.len());
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&text);
    Ok(sealed)
}

/// The text of what [`seal`] made.
pub(super) fn open(key: &[u8; KEY_BYTES], bound_to: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
    let (nonce, text) = sealed.split_at_checked(NONCE_LEN).ok_or(NotOpened)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| NotOpened)?;
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).map_err(|_| NotOpened)?);
    let mut text = Zeroizing::new(text.to_vec());
    let length = key.open_in_place(nonce, Aad::from(bound_to), text.as_mut_slice()).map_err(|_| NotOpened)?.len();
    text.truncate(length);
    Ok(text)
}
