//! How much one caller, and all together, may ask at once.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::tokens::Known;

/// Requests a second of whoever holds a token that the ledger issued by hand: its operator, a bench, an import of millions of rows.
const LOCAL_RATE: u32 = 100_000;
/// Access tokens a minute for one client; each holds ten minutes.
const TOKENS_A_MINUTE: u32 = 60;
/// Callers remembered before those that have been still for long are forgotten.
const MOST_CALLERS: usize = 10_000;

/// What the limits are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// Requests a second that one caller may make; twice as many at once.
    pub rate: NonZeroU32,
    /// Requests that are answered at once, of all callers.
    pub in_flight: usize,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self { rate: NonZeroU32::new(1_000).unwrap_or(NonZeroU32::MIN), in_flight: 1_024 }
    }
}

type Rates = RateLimiter<
    (String, String),
    HashMapStateStore<(String, String)>,
    MonotonicClock,
    NoOpMiddleware<std::time::Instant>,
>;

/// The limits of a running program. Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct Limits(Arc<Inner>);

struct Inner {
    clock: MonotonicClock,
    callers: Rates,
    local: Rates,
    clients: Rates,
    in_flight: Arc<Semaphore>,
}

impl std::fmt::Debug for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limits").field("callers", &self.0.callers.len()).finish_non_exhaustive()
    }
}

impl Limits {
    /// Limits of these settings.
    pub fn new(settings: LimitSettings) -> Self {
        let clock = MonotonicClock;
        let rates = |quota| RateLimiter::hashmap_with_clock(quota, clock.clone());
        let second = |rate: NonZeroU32| Quota::per_second(rate).allow_burst(rate.saturating_add(rate.get()));
        let least = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self(Arc::new(Inner {
            clock: clock.clone(),
            callers: rates(second(settings.rate)),
            local: rates(second(least(LOCAL_RATE))),
            clients: rates(Quota::per_minute(least(TOKENS_A_MINUTE))),
            in_flight: Arc::new(Semaphore::new(settings.in_flight)),
        }))
    }

    /// Admits one request of a caller; otherwise the seconds after which to ask again.
    ///
    /// # Errors
    /// Where it has made too many.
    pub fn admit(&self, known: &Known) -> Result<(), u64> {
        self.counted(if known.local { &self.0.local } else { &self.0.callers }, known)
    }

    /// Admits one request for an access token.
    ///
    /// # Errors
    /// As [`Self::admit`].
    pub fn admit_to_token(&self, known: &Known) -> Result<(), u64> {
        self.counted(&self.0.clients, known)
    }

    fn counted(&self, rates: &Rates, known: &Known) -> Result<(), u64> {
        if rates.len() > MOST_CALLERS {
            rates.retain_recent();
        }
        let actor = &known.caller.actor;
        rates.check_key(&(actor.org.clone(), actor.id.clone())).map_err(|until| {
            let wait: Duration = until.wait_time_from(self.0.clock.now());
            wait.as_secs() + 1
        })
    }

    /// Room for one more request, whoever makes it; it is given back when dropped.
    pub fn room(&self) -> Option<OwnedSemaphorePermit> {
        self.0.in_flight.clone().try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use rollbook_events::Actor;

    use super::*;
    use crate::caller::{Caller, Rights, Role};

    fn known(id: &str, local: bool) -> Known {
        let actor = Actor { org: "la-care".into(), id: id.into(), role: "recorder".into() };
        Known { caller: Caller { actor, role: Role::Recorder, rights: Rights::default() }, local }
    }

    #[test]
    fn one_caller_is_held_back_and_others_are_not() {
        let limits = Limits::new(LimitSettings { rate: NonZeroU32::MIN, in_flight: 1 });
        let (a, b) = (known("a", false), known("b", false));
        assert_eq!((limits.admit(&a), limits.admit(&a)), (Ok(()), Ok(())));
        assert_eq!(limits.admit(&a), Err(1));
        assert_eq!(limits.admit(&b), Ok(()));
        assert!((0..1_000).all(|_| limits.admit(&known("a", true)).is_ok()));
    }

    #[test]
    fn all_together_have_so_much_room_and_no_more() {
        let limits = Limits::new(LimitSettings { in_flight: 1, ..LimitSettings::default() });
        let one = limits.room();
        assert!(one.is_some() && limits.clone().room().is_none());
        drop(one);
        assert!(limits.room().is_some());
    }
}
