//! Why a token is refused. For this program's own eyes: a caller learns that it was, and nothing more.

/// Why. Nothing in it comes out of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is longer than any token of ours.
    #[error("it is longer than a token may be")]
    TooLong,
    /// It has not the form `header.claims.signature`.
    #[error("it is not three parts")]
    Form,
    /// A part is not base64url without padding, or no JSON object that two readers would read alike.
    #[error("a part of it cannot be read, or reads two ways")]
    Unreadable,
    /// The header names an algorithm that is not the key's.
    #[error("its algorithm is not the key's")]
    Algorithm,
    /// The header brings a key, an address, a compression or an extension with it.
    #[error("its header asks for what is not done here")]
    Header,
    /// It is a token of another kind.
    #[error("it is a token of another kind")]
    Type,
    /// No key of the issuer has the name that it gives.
    #[error("no key of its issuer has this name")]
    NoKey,
    /// The issuer's keys could not be had for too long.
    #[error("the keys of its issuer could not be had")]
    NoKeys,
    /// The signature is not the key's.
    #[error("its signature is not the key's")]
    Signature,
    /// Nobody whose tokens are taken issued it.
    #[error("its issuer is not one of ours")]
    Issuer,
    /// It is for somebody else.
    #[error("it is for another audience")]
    Audience,
    /// A claim is missing, or is not what it must be.
    #[error("its claim {0} is missing, or not what it must be")]
    Claim(&'static str),
    /// It was issued in the future, or holds only later.
    #[error("it does not hold yet")]
    NotYet,
    /// It holds no more.
    #[error("it holds no more")]
    Expired,
    /// It would hold for longer than this issuer's tokens may.
    #[error("it holds for too long")]
    TooLongLived,
    /// Only the ledger's own tokens make an owner.
    #[error("its issuer may not make an owner")]
    Owner,
    /// It was taken away, or is not in this ledger's list.
    #[error("it was revoked, or is in no list")]
    Revoked,
    /// A production profile takes no tokens that the ledger issued by itself.
    #[error("a production profile takes no local tokens")]
    Local,
    /// The client it was issued to is no more, or is another by now.
    #[error("its client is not registered, or not as it was")]
    Client,
    /// An assertion is good for one token.
    #[error("it was shown before")]
    Replayed,
    /// Whether another program of the ledger was shown it cannot be found out.
    #[error("whether it was shown before could not be found out")]
    NotAsked,
    /// Too many assertions are remembered to remember one more.
    #[error("too many assertions are remembered")]
    Full,
}
