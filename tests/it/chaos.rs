//! The chaos suite: a selection of seeds that strikes with every fault once, the plans that once found something, and that
//! its checkers see what they are for.

mod sees;
mod selection;
