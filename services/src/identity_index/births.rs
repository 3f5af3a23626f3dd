//! Ages that submissions leave out: a birth date is opened when an age is wanted, and kept for a while.

use chrono::NaiveDate;
use futures_util::{StreamExt, stream};
use rollbook_events::identity::sealed::{IdentityEvent, IdentitySealed};
use rollbook_events::{Event, MemberId, Occurred, Position};

use super::IdentityIndex;
use crate::identity_keys::bounded::Bounded;
use crate::identity_keys::{Found, KeyError};
use crate::log::ReadError;

/// Birth dates kept, at most twice as many: some fifty bytes each.
const MOST_KEPT: usize = 25_000;

/// Messages fetched at once.
const FETCHED_AT_ONCE: usize = 32;

/// Birth dates at hand, each with where it stands: another that was stated since stands elsewhere.
pub(super) struct Births(Bounded<MemberId, (Position, NaiveDate)>);

impl Default for Births {
    fn default() -> Self {
        Self(Bounded::of(MOST_KEPT))
    }
}

impl Births {
    pub(super) fn forget(&mut self, member: MemberId) {
        self.0.remove(member);
    }
}

impl IdentityIndex {
    /// Keeps a birth date that was read anyway.
    pub(super) fn keep_birth(&self, member: MemberId, at: Position, born_on: NaiveDate) {
        if let Ok(mut births) = self.births.lock() {
            births.0.put(member, (at, born_on));
        }
    }

    /// Sees to it that the ages are at hand that submissions about these members leave out.
    ///
    /// # Errors
    /// Where a stream cannot be read. A birth date that cannot be opened is told in the log, and nobody has that age.
    pub async fn want_ages<'e>(
        &self,
        submissions: impl Iterator<Item = (MemberId, &'e Event)>,
    ) -> Result<(), ReadError> {
        let mut wanted: Vec<(MemberId, Position)> = Vec::new();
        for (member, event) in submissions {
            let Event::Referral(referral) = event else { continue };
            if referral.age_years().is_some() {
                continue;
            }
            let Some(at) = self.known.read().ok().and_then(|known| known.born_at(member)) else { continue };
            let at_hand = self.births.lock().ok().and_then(|mut births| births.0.get(member));
            if at_hand.is_none_or(|(of, _)| of != at) {
                wanted.push((member, at));
            }
        }
        if wanted.is_empty() {
            return Ok(());
        }
        wanted.sort_unstable();
        wanted.dedup();
        self.fetch_births(wanted).await
    }

    async fn fetch_births(&self, wanted: Vec<(MemberId, Position)>) -> Result<(), ReadError> {
        let fetched = wanted.into_iter().map(|(_, at)| async move { (at, self.log.get(at).await) });
        let mut fetched = stream::iter(fetched).buffer_unordered(FETCHED_AT_ONCE);
        let mut sealed: Vec<(Position, IdentitySealed)> = Vec::new();
        while let Some((at, stored)) = fetched.next().await {
            let Some(stored) = stored? else { continue };
            match IdentityEvent::read(&stored.body) {
                Ok(IdentityEvent::InClear(recorded)) => {
                    if let Some(born_on) = recorded.identity.born_on {
                        self.keep_birth(recorded.member, at, born_on.0);
                    }
                }
                Ok(IdentityEvent::Sealed(event)) => sealed.push((at, event)),
                Ok(IdentityEvent::Destroyed(_)) | Err(_) => {}
            }
        }
        let members: Vec<MemberId> = sealed.iter().map(|(_, event)| event.member).collect();
        let keys = match self.keys.of(&members).await {
            Ok(keys) => keys,
            Err(KeyError::Read(error)) => return Err(error),
            Err(error) => {
                let error = crate::error_chain::chain(&error);
                tracing::error!(error, "ages that were left out cannot be derived");
                return Ok(());
            }
        };
        for (at, event) in sealed {
            let key = match keys.get(&event.member) {
                Some(Found::Key(key)) if key.id() == event.key => key,
                // Destroyed since it was asked for: nobody knows this age any more.
                Some(Found::Key(_) | Found::Destroyed(_) | Found::None) | None => continue,
            };
            match key.open(&event) {
                Ok(statement) => {
                    if let Some(born_on) = statement.identity.born_on {
                        self.keep_birth(event.member, at, born_on.0);
                    }
                }
                Err(error) => tracing::error!(position = at.0, error = %error, "an identity cannot be opened"),
            }
        }
        Ok(())
    }

    /// Sets the age that a kind asks for and its submission leaves out, for the civil day it speaks of;
    /// [`Self::want_ages`] has brought the birth dates.
    pub fn fill_age(&self, member: MemberId, occurred_at: Occurred, event: &mut Event) {
        let Event::Referral(referral) = event else { return };
        let Some(age @ None) = referral.age_years_mut() else { return };
        let Some(at) = self.known.read().ok().and_then(|known| known.born_at(member)) else { return };
        let born = self.births.lock().ok().and_then(|mut births| births.0.get(member));
        if let Some((_, born_on)) = born.filter(|(of, _)| *of == at) {
            *age = occurred_at.day().years_since(born_on).and_then(|years| u8::try_from(years).ok());
        }
    }
}
