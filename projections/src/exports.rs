//! What files say that plans ask for, from the facts alone: which rows, in which order, in which words. Who a person is
//! stands elsewhere, so the columns of identity are left empty here.

pub mod outreach_tracker;
