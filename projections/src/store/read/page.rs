//! Pages and sums of a view as known at a position.

use chrono::NaiveDate;
use rollbook_events::{MemberId, Position};
use sqlx::{QueryBuilder, Row as _};

use super::reading::{Reading, reading};
use super::rows::{self, Known};
use super::sight::{self, Sight, push_side, push_sight};
use crate::store::db::{Db, Doing, StoreError};
use crate::store::write::sql;
use crate::view::{Cell, Table};

/// What rows are asked for. Column names are the program's own, never a caller's.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// The position they are to be known at; the current ones where none is given.
    pub known_at: Option<Position>,
    /// Every row there ever was, closed ones included.
    pub ever: bool,
    /// Rows of these members, where any are given.
    pub members: Option<Vec<MemberId>>,
    /// Columns that must hold one of these values.
    pub equal: Vec<(&'static str, Vec<Cell>)>,
    /// Pairs of columns of which one must hold one of these values.
    pub either: Vec<([&'static str; 2], Vec<Cell>)>,
    /// Columns that must hold none of these values.
    pub unequal: Vec<(&'static str, Vec<Cell>)>,
    /// Rows whose `from_on`..`until_on` holds this day.
    pub holds: Option<NaiveDate>,
    /// Columns that must hold a day, number or text at or after this.
    pub at_least: Vec<(&'static str, Cell)>,
    /// Columns that must hold a day, number or text before this.
    pub less_than: Vec<(&'static str, Cell)>,
    /// Columns that must hold something, or nothing.
    pub present: Vec<(&'static str, bool)>,
    /// Columns that must hold something, unless another holds a day, number or text before this.
    pub present_unless: Vec<(&'static str, (&'static str, Cell))>,
}

/// Which rows of those, and how many.
#[derive(Debug, Clone)]
pub struct Page {
    /// Sort by this column before the key; `position` for a history.
    pub order: Option<&'static str>,
    /// Go on after this order value and key.
    pub after: Option<(Option<Cell>, String)>,
    /// How many at most.
    pub most: u32,
}

/// A sum over rows: how many, and how many of them have this column filled.
#[derive(Debug, Clone, Copy)]
pub enum Sum {
    /// Rows.
    Rows,
    /// Rows where the column holds something.
    Filled(&'static str),
    /// Rows where the column is above zero and another holds something.
    AboveZero(&'static str),
    /// The column's total.
    Total(&'static str),
}

/// Sums by groups.
#[derive(Debug, Clone)]
pub struct SumBy {
    /// Columns to group by.
    pub by: Vec<&'static str>,
    /// Sums and the names they are given.
    pub sums: Vec<(&'static str, Sum)>,
}

/// A group's values as text, and its sums.
pub type Group = (Vec<Option<String>>, Vec<i64>);

macro_rules! bind {
    ($query:expr, $cell:expr) => {
        match $cell {
            Cell::Null => $query.push("NULL"),
            Cell::Text(text) => $query.push_bind(text.clone()),
            Cell::Integer(number) => $query.push_bind(*number),
            Cell::Boolean(yes) => $query.push_bind(*yes),
            Cell::Day(day) => $query.push_bind(*day),
            Cell::Instant(instant) => $query.push_bind(*instant),
            Cell::Uuid(id) => $query.push_bind(*id),
        }
    };
}

macro_rules! push_list {
    ($query:expr, $and:expr, $column:expr, $operator:expr, $cells:expr) => {
        $query.push($and).push($column).push($operator).push(" (");
        for (index, cell) in $cells.iter().enumerate() {
            if index > 0 {
                $query.push(", ");
            }
            bind!($query, cell);
        }
        $query.push(")");
    };
}

/// Pushes, before a condition on a column that tells of both sides of a row, that both are seen.
macro_rules! push_both {
    ($query:expr, $table:expr, $sight:expr, $column:expr) => {
        if let Some(grants) = $sight.grants().filter(|_| $sight.needs_both($table, $column)) {
            for side in sight::sides($table) {
                $query.push(" AND ");
                push_side!($query, $table, side, grants);
            }
        }
    };
}

macro_rules! push_filter {
    ($query:expr, $table:expr, $sight:expr, $filter:expr) => {
        match ($filter.ever, $filter.known_at) {
            (true, _) => $query.push(" WHERE 1 = 1"),
            (false, None) => $query.push(" WHERE known_until IS NULL"),
            (false, Some(at)) => $query
                .push(" WHERE known_from <= ")
                .push_bind(sql(at))
                .push(" AND (known_until IS NULL OR known_until > ")
                .push_bind(sql(at))
                .push(")"),
        };
        push_sight!($query, $table, $sight);
        if let Some(members) = &$filter.members {
            let cells: Vec<Cell> = members.iter().map(|member| Cell::Uuid(member.0)).collect();
            push_list!($query, " AND ", "member", " IN", cells);
        }
        for (column, cells) in &$filter.equal {
            push_both!($query, $table, $sight, column);
            push_list!($query, " AND ", *column, " IN", cells);
        }
        for ([one, other], cells) in &$filter.either {
            $query.push(" AND (1 = 0");
            for column in [*one, *other] {
                push_list!($query, " OR (", column, " IN", cells);
                // A side that is not seen may not be found by what it holds.
                if let (Some(grants), Some(side)) = ($sight.grants(), sight::side_of($table, column)) {
                    $query.push(" AND ");
                    push_side!($query, $table, side, grants);
                }
                $query.push(")");
            }
            $query.push(")");
        }
        for (column, cells) in &$filter.unequal {
            push_both!($query, $table, $sight, column);
            push_list!($query, " AND ", *column, " NOT IN", cells);
        }
        if let Some(day) = $filter.holds {
            $query.push(" AND from_on <= ").push_bind(day);
            $query.push(" AND (until_on IS NULL OR until_on > ").push_bind(day).push(")");
        }
        for (column, cell) in &$filter.at_least {
            push_both!($query, $table, $sight, column);
            $query.push(" AND ").push(*column).push(" >= ");
            bind!($query, cell);
        }
        for (column, cell) in &$filter.less_than {
            push_both!($query, $table, $sight, column);
            $query.push(" AND ").push(*column).push(" < ");
            bind!($query, cell);
        }
        for (column, present) in &$filter.present {
            push_both!($query, $table, $sight, column);
            $query.push(" AND ").push(*column).push(if *present { " IS NOT NULL" } else { " IS NULL" });
        }
        for (column, (other, cell)) in &$filter.present_unless {
            push_both!($query, $table, $sight, column);
            $query.push(" AND (").push(*column).push(" IS NOT NULL OR ").push(*other).push(" < ");
            bind!($query, cell);
            $query.push(")");
        }
    };
}

impl Db {
    /// A page of the rows that lie within a sight, in the order of the page's column and then of the key.
    ///
    /// # Errors
    /// What the database said.
    pub async fn page(
        &self,
        sight: &Sight,
        table: &Table,
        filter: &Filter,
        page: &Page,
    ) -> Result<Vec<Known>, StoreError> {
        // Of an overlap each side is seen by itself, or not.
        let halves = sight.grants().map(|grants| (grants, sight::sides(table))).filter(|(_, sides)| sides.len() > 1);
        reading!(self, Reading::Within(sight), conn => {
            let mut query = QueryBuilder::new("SELECT row_key, member, known_from, known_until");
            for column in table.columns {
                query.push(", ").push(column.name);
            }
            if let Some((grants, sides)) = halves {
                for side in sides {
                    query.push(", CASE WHEN ");
                    push_side!(query, table, side, grants);
                    query.push(" THEN 1 ELSE 0 END");
                }
            }
            query.push(" FROM ").push(table.sql_name());
            push_filter!(query, table, sight, filter);
            match (page.order, &page.after) {
                (Some(order), Some((Some(value), key))) => {
                    query.push(" AND (").push(order).push(", row_key) > (");
                    bind!(query, value);
                    query.push(", ").push_bind(key.clone()).push(")");
                }
                (None, Some((_, key))) => _ = query.push(" AND row_key > ").push_bind(key.clone()),
                (_, None) | (Some(_), Some((None, _))) => {}
            }
            query.push(" ORDER BY ");
            if let Some(order) = page.order {
                query.push(order).push(", ");
            }
            query.push("row_key, known_from LIMIT ").push_bind(i64::from(page.most));
            let found = query.build().fetch_all(conn).await.doing("read rows")?;
            let known: sqlx::Result<Vec<Known>> = found.iter().map(|row| {
                let mut known = rows::read(table, row)?;
                if let Some((_, sides)) = halves {
                    let first = 4 + table.columns.len();
                    let seen: sqlx::Result<Vec<bool>> =
                        (0..sides.len()).map(|index| Ok(row.try_get::<i32, _>(first + index)? == 1)).collect();
                    sight::cut(table, &mut known, &seen?);
                }
                Ok(known)
            }).collect();
            known.doing("read rows")
        })
    }

    /// Sums of the rows of a view that lie within a sight, by groups: the groups' values as text, then the sums.
    ///
    /// # Errors
    /// What the database said.
    pub async fn sum(
        &self,
        sight: &Sight,
        table: &Table,
        filter: &Filter,
        sum: &SumBy,
    ) -> Result<Vec<Group>, StoreError> {
        reading!(self, Reading::Within(sight), conn => {
            let mut query = QueryBuilder::new("SELECT ");
            for (_, what) in &sum.sums {
                match what {
                    Sum::Rows => query.push("COUNT(*)"),
                    Sum::Filled(column) => query.push("COUNT(").push(*column).push(")"),
                    Sum::AboveZero(column) => {
                        query.push("CAST(SUM(CASE WHEN ").push(*column).push(" > 0 THEN 1 ELSE 0 END) AS BIGINT)")
                    }
                    Sum::Total(column) => query.push("CAST(SUM(").push(*column).push(") AS BIGINT)"),
                };
                query.push(", ");
            }
            query.push("1");
            for column in &sum.by {
                query.push(", ").push(*column);
            }
            query.push(" FROM ").push(table.sql_name());
            push_filter!(query, table, sight, filter);
            for (index, column) in sum.by.iter().enumerate() {
                query.push(if index == 0 { " GROUP BY " } else { ", " }).push(*column);
            }
            for (index, column) in sum.by.iter().enumerate() {
                query.push(if index == 0 { " ORDER BY " } else { ", " }).push(*column);
            }
            let found = query.build().fetch_all(conn).await.doing("sum rows")?;
            let width = sum.sums.len();
            let groups: sqlx::Result<Vec<Group>> = found.iter().map(|row| {
                let sums: sqlx::Result<Vec<i64>> =
                    (0..width).map(|index| Ok(row.try_get::<Option<i64>, _>(index)?.unwrap_or(0))).collect();
                let values: sqlx::Result<Vec<Option<String>>> =
                    (0..sum.by.len()).map(|index| row.try_get(width + 1 + index)).collect();
                Ok((values?, sums?))
            }).collect();
            groups.doing("sum rows")
        })
    }
}
